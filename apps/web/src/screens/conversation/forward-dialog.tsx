import type { ConversationId, MessageId } from '@sotto/contract/ids';
import { randomId } from '@sotto/engine/random-id';
import type { ChatMessage, ConversationSummary } from '@sotto/engine/views';
import { useEffect, useRef, useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { Plain } from '../../app/plain-text.tsx';
import { t } from '../../i18n/i18n.ts';
import { isTouch } from '../../platform/attention.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { findByName } from '../chats/sections.ts';
import { mayWrite } from './may-write.ts';
import './forward-dialog.css';

interface ForwardDialogProps {
  message: ChatMessage;
  onSent(to: readonly ConversationId[]): void;
  onClose(): void;
}

interface ChoiceProps {
  chat: ConversationSummary;
  chosen: boolean;
  onToggle(): void;
}

const Chat = ({ chat: { peer, group }, chosen, onToggle }: ChoiceProps) => (
  <li className="forward-chat">
    <label>
      <input type="checkbox" checked={chosen} onChange={onToggle} />
      <Avatar name={peer.name} account={peer.account} size="s" />
      <span className="forward-names">
        <bdi className="forward-name">{peer.name}</bdi>
        {!group && (
          <bdi className="forward-handle" dir="ltr">
            @{peer.handle}
          </bdi>
        )}
      </span>
    </label>
  </li>
);

/** Sends what a message says on to others, as something that was forwarded. */
export const ForwardDialog = ({ message, onSent, onClose }: ForwardDialogProps) => {
  const engine = useEngine();
  const conversations = useEnginePart('conversations');
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState<readonly ConversationId[]>([]);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On touch, focus would put a keyboard over the list.
    if (!isTouch()) box.current?.querySelector('input')?.focus();
  }, []);
  const open = conversations.filter(mayWrite);
  const shown = query.trim() === '' ? open : findByName(open, query);

  const toggle = (id: ConversationId): void =>
    setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  const send = async (): Promise<void> => {
    setBusy(true);
    const left = new Set(chosen);
    try {
      for (const id of chosen) {
        await engine.send(id, message.text, { id: randomId() as MessageId, forwarded: true });
        left.delete(id);
      }
      onClose();
      onSent(chosen);
    } catch (error) {
      // Where it is stored already it is not sent again.
      setChosen([...left]);
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={t('writing.forwardTitle')} busy={busy} onClose={onClose}>
      <div ref={box} className="forward">
        <p className="forward-text" dir="auto">
          <Plain text={message.text} />
        </p>
        <SearchField
          label={t('writing.forwardSearch')}
          clear={t('chats.searchClear')}
          value={query}
          onChange={setQuery}
        />
        <ul className="forward-chats" aria-label={t('chats.title')}>
          {shown.map((chat) => (
            <Chat
              key={chat.id}
              chat={chat}
              chosen={chosen.includes(chat.id)}
              onToggle={() => toggle(chat.id)}
            />
          ))}
        </ul>
        <p className="forward-none" role="status">
          {shown.length === 0 && t('chats.nothingFound', { query: query.trim() })}
        </p>
        {problem !== undefined && <p role="alert">{problem}</p>}
        <div className="dialog-actions">
          <Button look="quiet" disabled={busy} onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button look="main" disabled={chosen.length === 0 || busy} onClick={() => void send()}>
            {chosen.length === 0 ? t('writing.forward') : t('writing.forwardTo', { count: chosen.length })}
          </Button>
        </div>
      </div>
    </Dialog>
  );
};
