import type { GroupPolicy } from '@sotto/engine/views';
import { useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Section } from '../../ui/page.tsx';
import { Switch } from '../../ui/switch.tsx';

const SWITCHES = [
  { name: 'membersAdd', label: 'groups.membersAdd', hint: 'groups.membersAddHint' },
  { name: 'membersEdit', label: 'groups.membersEdit', hint: 'groups.membersEditHint' },
  { name: 'adminsPost', label: 'groups.adminsPost', hint: 'groups.adminsPostHint' },
  { name: 'adminsDelete', label: 'groups.adminsDelete', hint: 'groups.adminsDeleteHint' },
] as const satisfies readonly { name: keyof GroupPolicy; label: Key; hint: Key }[];

interface PermissionsProps {
  policy: GroupPolicy;
  /** A change is under way. */
  busy: boolean;
  onChange(policy: Partial<GroupPolicy>): Promise<void>;
}

/** Who may do what. What admins decide, everybody's device enforces. */
export const Permissions = ({ policy, busy, onChange }: PermissionsProps) => {
  // As it was asked for, until there is an answer.
  const [asked, setAsked] = useState<Partial<GroupPolicy>>({});
  const change = async (changed: Partial<GroupPolicy>): Promise<void> => {
    setAsked(changed);
    await onChange(changed);
    setAsked({});
  };
  return (
    <Section title={t('groups.permissions')}>
      {SWITCHES.map(({ name, label, hint }) => (
        <Switch
          key={name}
          label={t(label)}
          hint={t(hint)}
          checked={asked[name] ?? policy[name]}
          disabled={busy}
          onChange={(on) => void change({ [name]: on })}
        />
      ))}
    </Section>
  );
};
