import type { ConversationId, MessageId } from '@sotto/contract/ids';
import { randomId } from '@sotto/engine/random-id';
import type { ChatMessage, ConversationSummary } from '@sotto/engine/views';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';

/** A draft is stored when the keys rest for so long. */
const REST_MS = 250;

interface Written {
  text: string;
  /** The id of what is answered. */
  reply?: string;
}

interface WritingState extends Written {
  /** A message of one's own that is being changed, and what stood in the field before. */
  editing?: { message: ChatMessage; before: Written };
}

const after = (first: string, then: string): string => [first, then].filter((part) => part !== '').join('\n');

/** Stores what is written once the keys rest, and at the latest when the page or this screen goes. */
const useKeptDraft = (id: ConversationId) => {
  const engine = useEngine();
  const due = useRef<Written>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const flush = useCallback((): void => {
    clearTimeout(timer.current);
    const written = due.current;
    due.current = undefined;
    // A store that cannot take it is told of elsewhere; the text stands in the field.
    if (written) engine.setDraft(id, written.text, written.reply).catch(() => undefined);
  }, [engine, id]);
  const keep = useCallback(
    (written: Written): void => {
      due.current = written;
      clearTimeout(timer.current);
      timer.current = setTimeout(flush, REST_MS);
    },
    [flush],
  );
  useEffect(() => {
    document.addEventListener('visibilitychange', flush);
    window.addEventListener('pagehide', flush);
    return () => {
      document.removeEventListener('visibilitychange', flush);
      window.removeEventListener('pagehide', flush);
      flush();
    };
  }, [flush]);
  return { keep, flush };
};

/** What stands in the field, what it answers or changes, and what became of sending it. */
export const useWriting = (id: ConversationId, draft: ConversationSummary['draft']) => {
  const engine = useEngine();
  const { keep, flush } = useKeptDraft(id);
  const [state, setState] = useState<WritingState>(() => draft ?? { text: '' });
  const [problem, setProblem] = useState<string>();
  // What the callbacks see: the newest, also between two renders.
  const now = useRef(state);

  const become = useCallback(
    (next: WritingState): void => {
      now.current = next;
      setState(next);
      setProblem(undefined);
      keep(
        next.editing?.before ?? { text: next.text, ...(next.reply !== undefined && { reply: next.reply }) },
      );
    },
    [keep],
  );
  const typing = useCallback(
    (is: boolean): void => void engine.typing(id, is).catch(() => undefined),
    [engine, id],
  );
  useEffect(() => () => typing(false), [typing]);

  const change = (text: string): void => {
    become({ ...now.current, text });
    typing(text.trim() !== '');
  };
  const startReply = useCallback(
    (message: ChatMessage): void => {
      const { editing, text } = now.current;
      become({ text: editing ? editing.before.text : text, reply: message.id });
    },
    [become],
  );
  const startEdit = useCallback(
    (message: ChatMessage): void => {
      const { editing, text, reply: answered } = now.current;
      const before = editing?.before ?? { text, ...(answered !== undefined && { reply: answered }) };
      become({ text: message.text, editing: { message, before } });
    },
    [become],
  );
  /** Leaves the answer or the change. */
  const leave = useCallback((): void => {
    const { editing, text } = now.current;
    become(editing ? editing.before : { text });
  }, [become]);
  /** A message that failed comes back into the field, after what is being written. */
  const takeBack = useCallback(
    ({ text }: ChatMessage): void => become({ ...now.current, text: after(now.current.text, text) }),
    [become],
  );

  /** The field is free at once; what cannot be stored comes back, before anything typed since. */
  const send = (whole: string): void => {
    const { editing, reply: answered } = now.current;
    become(editing ? editing.before : { text: '' });
    flush();
    typing(false);
    const sent = editing
      ? engine.edit(id, editing.message.id, whole)
      : engine.send(id, whole, {
          id: randomId() as MessageId,
          ...(answered !== undefined && { reply: answered }),
        });
    sent.catch((error: unknown) => {
      const since = now.current;
      if (editing)
        become({
          text: whole,
          editing: { message: editing.message, before: since.editing?.before ?? since },
        });
      else
        become({
          ...since,
          text: after(whole, since.text),
          ...(answered !== undefined && { reply: answered }),
        });
      setProblem(t('conversation.notStored', { why: explain(error) }));
    });
  };
  return { ...state, problem, change, send, startReply, startEdit, leave, takeBack, complain: setProblem };
};

export type Writing = ReturnType<typeof useWriting>;
