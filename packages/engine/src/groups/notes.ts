import type { Operation } from '@sotto/crypto/membership-operation';
import type { GroupNote, GroupRow } from '../rows.ts';

/** What an operation did, in the group as it is after it. */
export const noteOf = (operation: Operation, { texts = {} }: GroupRow): GroupNote => {
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
      if (field === 'picture' || field === 'settings') return { kind: field };
      return { kind: field, text: texts[field]?.text ?? '' };
    }
    case 'policy':
      return { kind: 'policy', policy: operation.policy };
    case 'rekey':
      return { kind: 'rekeyed' };
  }
};
