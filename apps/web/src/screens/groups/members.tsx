import type { AccountId } from '@sotto/contract/ids';
import type { GroupSnapshot } from '@sotto/engine/views';
import { useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { InviteIcon, MoreIcon, VerifiedIcon } from '../../ui/icons.tsx';
import { Menu } from '../../ui/menu.tsx';
import type { MenuEntry } from '../../ui/menu.tsx';
import { Section } from '../../ui/page.tsx';
import { personName } from '../conversation/names.ts';
import './members.css';

export type Member = GroupSnapshot['people'][number];
export type Role = Member['role'];

/** What can be asked about a member. */
export interface MemberDeeds {
  message(account: AccountId): void;
  role(member: Member, role: Role): void;
  handOver(member: Member): void;
  remove(member: Member): void;
  add(): void;
}

const RANK: Record<Role, number> = { member: 0, admin: 1, owner: 2 };
const ROLES: Record<Role, Key> = {
  member: 'groups.member',
  admin: 'groups.admin',
  owner: 'groups.owner',
};

/** Owners and admins first, then by name. */
const ordered = (people: readonly Member[]): Member[] =>
  people.toSorted(
    (a, b) => RANK[b.role] - RANK[a.role] || personName(a.person).localeCompare(personName(b.person)),
  );

/** What one may do with another: by the rules of the group, which everybody's device holds one to. */
const entriesFor = (member: Member, own: Role | undefined, deeds: MemberDeeds): MenuEntry[] => {
  const { id, role } = member;
  const isOwner = own === 'owner';
  const mayRemove = isOwner || (own === 'admin' && role === 'member');
  return [
    { label: t('groups.message'), onChoose: () => deeds.message(id) },
    ...(isOwner && role === 'member'
      ? [{ label: t('groups.makeAdmin'), onChoose: () => deeds.role(member, 'admin') }]
      : []),
    ...(isOwner && role !== 'member'
      ? [{ label: t('groups.makeMember'), onChoose: () => deeds.role(member, 'member') }]
      : []),
    ...(isOwner && role !== 'owner'
      ? [{ label: t('groups.makeOwner'), onChoose: () => deeds.handOver(member) }]
      : []),
    ...(mayRemove ? [{ label: t('groups.remove'), grave: true, onChoose: () => deeds.remove(member) }] : []),
  ];
};

interface RowProps {
  member: Member;
  me: string | undefined;
  onMenu: ((place: Element) => void) | undefined;
}

const MemberRow = ({ member: { person, role }, me, onMenu }: RowProps) => {
  const name = personName(person);
  return (
    <li className="member">
      <Avatar name={name} account={person.account} size="s" />
      <span className="member-names">
        <span className="member-name">
          <bdi>{name}</bdi>
          {person.account === me && <span className="page-quiet"> {t('groups.you')}</span>}
          {person.verified && person.account !== me && (
            <span className="member-mark" title={t('conversation.verified')}>
              <VerifiedIcon />
              <span className="sr-only">{t('conversation.verified')}</span>
            </span>
          )}
        </span>
        {person.handle !== '' && (
          <span className="page-quiet">
            <bdi dir="ltr">@{person.handle}</bdi>
          </span>
        )}
        {person.changed && person.account !== me && (
          <span className="member-changed">{t('groups.memberChanged', { name })}</span>
        )}
      </span>
      {role !== 'member' && <span className="member-role">{t(ROLES[role])}</span>}
      {onMenu && (
        <IconButton
          label={t('chats.actionsFor', { name })}
          aria-haspopup="menu"
          onClick={({ currentTarget }) => onMenu(currentTarget)}
        >
          <MoreIcon />
        </IconButton>
      )}
    </li>
  );
};

interface MembersProps {
  group: GroupSnapshot;
  me: string | undefined;
  /** The group goes on, and one is in it. */
  active: boolean;
  deeds: MemberDeeds;
}

/** A big group is shown in parts. */
const PAGE = 100;

export const Members = ({ group, me, active, deeds }: MembersProps) => {
  const { people, role, policy } = group;
  const [shown, setShown] = useState(PAGE);
  const [menu, setMenu] = useState<{ member: Member; place: Element }>();
  const mayAdd = active && (role !== 'member' || policy.membersAdd);
  const all = ordered(people);
  return (
    <Section title={t('conversation.members', { count: people.length })}>
      {mayAdd && (
        <Button className="members-add" onClick={deeds.add}>
          <InviteIcon />
          {t('groups.add')}
        </Button>
      )}
      <ul className="members">
        {all.slice(0, shown).map((member) => (
          <MemberRow
            key={member.id}
            member={member}
            me={me}
            onMenu={member.id === me ? undefined : (place) => setMenu({ member, place })}
          />
        ))}
      </ul>
      {all.length > shown && (
        <Button look="quiet" onClick={() => setShown((before) => before + PAGE)}>
          {t('groups.more', { count: all.length - shown })}
        </Button>
      )}
      {menu && (
        <Menu
          label={t('chats.actionsFor', { name: personName(menu.member.person) })}
          place={menu.place}
          entries={entriesFor(menu.member, active ? role : undefined, deeds)}
          onClose={() => setMenu(undefined)}
        />
      )}
    </Section>
  );
};
