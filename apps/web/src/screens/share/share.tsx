import type { ConversationSummary } from '@sotto/engine/views';
import { useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Page } from '../../ui/page.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { findByName } from '../chats/sections.ts';
import { mayWrite } from '../conversation/may-write.ts';
import { DRAFT_CHARACTERS } from '../conversation/split-text.ts';
import './words.ts';
import './share.css';

/** What another app handed over, as one text; the same link is not said twice. */
const sharedText = (search: string): string => {
  const given = new URLSearchParams(search);
  const parts = ['title', 'text', 'url'].map((name) => given.get(name)?.trim() ?? '').filter(Boolean);
  return parts
    .filter(
      (part, at) =>
        !parts.some((other, from) => from !== at && other.includes(part) && (other !== part || from < at)),
    )
    .join('\n');
};

/** Why a text is not taken: nobody would see where it was cut. */
const tooLong = (text: string): string | undefined => {
  const count = text.length - DRAFT_CHARACTERS;
  return count > 0 ? t('writing.shareTooLong', { count, most: DRAFT_CHARACTERS }) : undefined;
};

/** Something that another app shares: goes into the draft of the conversation that is chosen, and nowhere by itself. */
export const Share = () => {
  const engine = useEngine();
  const conversations = useEnginePart('conversations');
  const { search } = useLocation();
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const [problem, setProblem] = useState<string>();
  const text = sharedText(search);
  const refused = tooLong(text);
  const open = conversations.filter(mayWrite);
  const shown = query.trim() === '' ? open : findByName(open, query);

  const choose = async ({ id, draft }: ConversationSummary): Promise<void> => {
    try {
      const before = draft?.text ?? '';
      const whole = before === '' ? text : `${before}\n${text}`;
      const refused = tooLong(whole);
      setProblem(refused);
      if (refused !== undefined) return;
      await engine.setDraft(id, whole, draft?.reply);
      await navigate(`/c/${id}`, { replace: true });
    } catch (error) {
      setProblem(explain(error));
    }
  };

  return (
    <Page title={t('chats.shareTitle')} back={t('conversation.back')}>
      {text === '' ? (
        <p>{t('chats.shareNothing')}</p>
      ) : (
        <>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keyboard */}
          <blockquote className="share-text" dir="auto" tabIndex={0}>
            {text}
          </blockquote>
          {refused === undefined && <p className="page-quiet">{t('chats.shareSays')}</p>}
          <p className="share-problem" role="alert">
            {refused ?? problem}
          </p>
        </>
      )}
      {text !== '' && refused === undefined && (
        <>
          <SearchField
            label={t('chats.shareSearch')}
            clear={t('chats.searchClear')}
            value={query}
            onChange={setQuery}
          />
          <ul className="share-list">
            {shown.map((conversation) => (
              <li key={conversation.id}>
                <button type="button" className="share-choice" onClick={() => void choose(conversation)}>
                  <Avatar name={conversation.peer.name} account={conversation.id} size="s" />
                  <bdi>{conversation.peer.name}</bdi>
                </button>
              </li>
            ))}
          </ul>
          <p className="page-quiet" role="status">
            {shown.length === 0 && t('chats.shareNobody')}
          </p>
        </>
      )}
    </Page>
  );
};
