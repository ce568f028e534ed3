import { enqueueSync, toSync } from '../devices/sync.ts';
import { requestDropped } from '../inbox/repair.ts';
import type { Draft } from '../model.ts';
import type { OutboxRow, SelfRow } from '../rows.ts';

/**
 * What follows from a row that goes to nobody: what this account has read or taken back is so on its other devices, and what
 * was to be asked for is asked for again.
 */
export const rowDropped = async (
  draft: Draft,
  row: OutboxRow,
  { self, notBefore }: { self: SelfRow; notBefore?: number },
): Promise<void> => {
  if (row.to !== undefined) return requestDropped(draft, row);
  const sent = row.owed === undefined ? toSync(row, self) : undefined;
  if (sent?.kind === 'receipt' || sent?.kind === 'delete')
    enqueueSync(draft, self, row.conversation, sent, notBefore === undefined ? {} : { notBefore });
};
