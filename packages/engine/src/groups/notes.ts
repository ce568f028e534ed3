import type { Operation } from '@sotto/crypto/membership-operation';
import type { GroupState } from '@sotto/crypto/membership-state';
import type { GroupNote, GroupRow } from '../rows.ts';
import { textOf } from './group-rows.ts';
import { linkOf } from './settings.ts';

/** What is known of a group where a change is told: as it was before all that came with it, and as it is after. */
interface Known {
  before: GroupRow;
  after: GroupRow;
}

interface States {
  before: GroupState | undefined;
  after: GroupState;
}

/** It changes nothing that can be seen. */
export const isSilent = (note: GroupNote): boolean =>
  note.kind === 'rekeyed' || (note.kind === 'settings' && note.link === undefined);

/** What became of the link by a change of the settings. */
const linkNote = async (states: States, { before, after }: Known): Promise<GroupNote> => {
  const kind = 'settings';
  const told = [before.texts?.settings, after.texts?.settings];
  /** Undefined for none; `unread`: it is sealed under a key that is not here. */
  const linkIn = async (state: GroupState | undefined) => {
    const value = state?.fields.settings;
    const settings = await textOf(after, { field: 'settings', value }, told);
    return value && !settings ? 'unread' : linkOf({ texts: { ...(settings && { settings }) } });
  };
  const was = await linkIn(states.before);
  const is = await linkIn(states.after);
  if (was === 'unread' || is === 'unread') return { kind, link: 'changed' };
  if (!is) return was ? { kind, link: 'ended' } : { kind };
  if (!was) return { kind, link: 'made' };
  return { kind, link: was.secret === is.secret ? 'changed' : 'reset' };
};

/** What an operation did between two states of a group. */
export const noteOf = async (operation: Operation, states: States, known: Known): Promise<GroupNote> => {
  switch (operation.kind) {
    case 'create':
      return { kind: 'created' };
    case 'add':
      return { kind: 'added', accounts: [...operation.accounts] };
    case 'remove':
      return { kind: 'removed', accounts: [...operation.accounts] };
    case 'leave':
      return { kind: 'left' };
    case 'role':
      return { kind: 'role', accounts: [operation.account], role: operation.role };
    case 'field': {
      const { field } = operation;
      if (field === 'settings') return linkNote(states, known);
      if (field === 'picture') return { kind: field };
      return { kind: field, text: known.after.texts?.[field]?.text ?? '' };
    }
    case 'policy':
      return {
        kind: 'policy',
        policy: operation.policy,
        ...(states.before && { before: states.before.policy }),
      };
    case 'rekey':
      return { kind: 'rekeyed' };
  }
};
