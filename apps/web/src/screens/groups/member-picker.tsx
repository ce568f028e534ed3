import type { AccountId } from '@sotto/contract/ids';
import type { ConversationSummary } from '@sotto/engine/views';
import { useState } from 'react';
import { useEnginePart } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { VerifiedIcon } from '../../ui/icons.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { findByName } from '../chats/sections.ts';
import './member-picker.css';
import './words.ts';

/** People one writes with: neither strangers nor who is blocked. */
const contactsIn = (conversations: readonly ConversationSummary[], me: string | undefined) =>
  conversations
    .filter(({ peer, group, request, blocked }) => !group && !request && !blocked && peer.account !== me)
    .toSorted((a, b) => a.peer.name.localeCompare(b.peer.name));

interface MemberPickerProps {
  /** Those who are in already. */
  without?: ReadonlySet<string>;
  chosen: ReadonlySet<AccountId>;
  onChange(chosen: ReadonlySet<AccountId>): void;
}

export const MemberPicker = ({ without, chosen, onChange }: MemberPickerProps) => {
  const conversations = useEnginePart('conversations');
  const me = useEnginePart('me');
  const [query, setQuery] = useState('');
  const all = contactsIn(conversations, me?.account).filter(({ peer }) => !without?.has(peer.account));
  const shown = query.trim() === '' ? all : findByName(all, query);
  const toggle = (account: AccountId): void => {
    const next = new Set(chosen);
    if (!next.delete(account)) next.add(account);
    onChange(next);
  };
  if (all.length === 0) return <p className="page-quiet">{t('groups.nobodyToAdd')}</p>;
  return (
    <fieldset className="member-picker">
      <legend>{chosen.size === 0 ? t('groups.pickNone') : t('groups.pick', { count: chosen.size })}</legend>
      {all.length > 6 && (
        <SearchField
          label={t('chats.search')}
          clear={t('chats.searchClear')}
          value={query}
          onChange={setQuery}
        />
      )}
      <ul className="member-picker-list">
        {shown.map(({ id, peer }) => (
          <li key={id}>
            <label className="member-picker-row">
              <Avatar name={peer.name} account={peer.account} size="s" />
              <span className="member-picker-names">
                <span>
                  <bdi>{peer.name}</bdi>
                </span>
                <span className="page-quiet">
                  <bdi dir="ltr">@{peer.handle}</bdi>
                </span>
              </span>
              {peer.verified && (
                <span className="member-picker-mark" title={t('conversation.verified')}>
                  <VerifiedIcon />
                  <span className="sr-only">{t('conversation.verified')}</span>
                </span>
              )}
              <input
                type="checkbox"
                checked={chosen.has(peer.account)}
                onChange={() => toggle(peer.account)}
              />
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && (
        <p className="page-quiet" role="status">
          {t('groups.nobodyFound')}
        </p>
      )}
    </fieldset>
  );
};
