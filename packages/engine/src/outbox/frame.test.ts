import { describe, expect, it } from 'vitest';
import type { OutboxRow } from '../rows.ts';
import { frameOf, LARGEST_FRAME } from './frame.ts';

const post = (seq: number, conversation: string, epoch: number): OutboxRow =>
  ({ seq, conversation, post: { id: `${seq}`, epoch, body: new Uint8Array(8) } }) as OutboxRow;

const idsOf = (rows: readonly OutboxRow[]): string[] =>
  frameOf(rows, new Map(), { most: LARGEST_FRAME, single: false }).ids;

describe('frameOf', () => {
  it('holds back what was encrypted in a later state of its group, and what follows it there', () => {
    const [before, after, behind] = [post(1, 'trip', 3), post(2, 'trip', 4), post(3, 'trip', 3)];
    expect(idsOf([before, after, behind, post(4, 'choir', 9)])).toEqual(['1', '4']);
    expect(idsOf([after])).toEqual(['2']);
  });

  it('takes all of a group that were encrypted in one state', () => {
    expect(idsOf([post(1, 'trip', 3), post(2, 'trip', 3)])).toEqual(['1', '2']);
  });
});
