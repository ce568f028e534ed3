import type { ConversationId, MessageId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { randomId } from '@sotto/engine/random-id';
import type { ChatMessage, ConversationSummary, Person } from '@sotto/engine/views';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { stayWhile } from '../../platform/replaced.ts';
import { findMentions } from './mentions.ts';

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

/** What was written last and is not stored yet, by conversation: who leaves one and comes back finds it. */
const unstored = new Map<ConversationId, Written>();

/** How many texts have left the field and are not stored yet. */
let sending = 0;

stayWhile(() => sending > 0 || unstored.size > 0);

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
    if (!written) return;
    unstored.set(id, written);
    const forget = (): void => {
      if (unstored.get(id) === written) unstored.delete(id);
    };
    // A store that cannot take it is told of elsewhere.
    engine.setDraft(id, written.text, written.reply).then(forget, () => undefined);
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
export const useWriting = (
  id: ConversationId,
  draft: ConversationSummary['draft'],
  people: readonly Person[],
) => {
  const engine = useEngine();
  const { keep, flush } = useKeptDraft(id);
  const [state, setState] = useState<WritingState>(() => unstored.get(id) ?? draft ?? { text: '' });
  const [problem, setProblem] = useState<string>();
  /** Something that is only good to know, until the next key. */
  const [notice, say] = useState<string>();
  // What the callbacks see: the newest, also between two renders.
  const now = useRef(state);

  const become = useCallback(
    (next: WritingState): void => {
      now.current = next;
      setState(next);
      setProblem(undefined);
      say(undefined);
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

  /** The field is free at once; what cannot be stored comes back, before anything typed since. A text may have several parts. */
  const send = (parts: readonly string[]): void => {
    const { editing, reply: answered } = now.current;
    become(editing ? editing.before : { text: '' });
    flush();
    typing(false);
    const reply = answered !== undefined && { reply: answered };
    const store = (part: string, isFirst: boolean): Promise<void> => {
      const found = findMentions(part, people, LIMITS.mentions);
      const mentions = found.length > 0 && { mentions: found };
      return editing
        ? engine.edit(id, editing.message.id, part, { ...mentions })
        : engine.send(id, part, { id: randomId() as MessageId, ...(isFirst && reply), ...mentions });
    };
    const bringBack = (left: readonly string[], error: unknown): void => {
      const since = now.current;
      const text = left.join('\n\n');
      if (editing)
        become({ text, editing: { message: editing.message, before: since.editing?.before ?? since } });
      else become({ ...since, text: after(text, since.text), ...(left.length === parts.length && reply) });
      setProblem(t('conversation.notStored', { why: explain(error) }));
    };
    const storeAll = async (): Promise<void> => {
      for (const [index, part] of parts.entries()) {
        try {
          await store(part, index === 0);
        } catch (error) {
          bringBack(parts.slice(index), error);
          return;
        }
      }
    };
    sending += 1;
    void storeAll().finally(() => {
      sending -= 1;
    });
  };
  return {
    ...state,
    problem,
    notice,
    change,
    send,
    startReply,
    startEdit,
    leave,
    takeBack,
    complain: setProblem,
    say,
  };
};

export type Writing = ReturnType<typeof useWriting>;
