import type { Reader, Store, Write } from '@sotto/engine/ports';
import type { MessageRow } from '@sotto/engine/rows';

/** One database, empty at first, that can be opened again and again. */
export interface StoreDisk {
  open(): Promise<Store>;
  reader(): Promise<Reader>;
}

/** Rejects when the store does not do what `name` says. */
export interface StoreCase {
  name: string;
  run(disk: StoreDisk): Promise<void>;
}

export const message = (order: number, id: string, fields: Partial<MessageRow> = {}): MessageRow => ({
  conversation: 'ann',
  id,
  order,
  from: 'ann',
  device: 'd',
  sentAt: order,
  text: `text ${id}`,
  status: 'sent',
  ...fields,
});

export const put = (row: MessageRow): Write => ({ table: 'message', put: row });
