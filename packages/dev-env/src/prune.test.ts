import { openModel } from '@sotto/engine/model';
import type { Store, Write } from '@sotto/engine/ports';
import { prune } from '@sotto/engine/prune';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { describe, expect, it } from 'vitest';

const DAY = 24 * 60 * 60 * 1000;
const NOW = 1_770_000_000_000;

const seen = (envelope: string, days: number): Write => ({
  table: 'seen',
  put: { envelope, at: NOW - days * DAY },
});

const aside = (envelope: string, at: number): Write => ({
  table: 'aside',
  put: { envelope, at, reason: 'bad-encoding' },
});

const pruned = async (writes: readonly Write[]): Promise<{ store: Store; commits: number[] }> => {
  const inner = createMemoryDisk().open();
  await inner.commit(writes);
  const commits: number[] = [];
  const store = {
    ...inner,
    commit: (batch: readonly Write[]) => {
      commits.push(batch.length);
      return inner.commit(batch);
    },
  };
  await prune(await openModel(store), NOW);
  return { store, commits };
};

describe('what the engine lets go of', () => {
  it('keeps the id of an envelope for 45 days, longer than it can come again', async () => {
    const { store } = await pruned([seen('old', 45.1), seen('edge', 45), seen('new', 37), seen('ahead', -2)]);
    expect((await store.all('seen')).map(({ envelope }) => envelope)).toEqual(['ahead', 'edge', 'new']);
  });

  it('keeps what could not be read for 30 days', async () => {
    const { store } = await pruned([aside('old', NOW - 30.1 * DAY), aside('new', NOW - 29.9 * DAY)]);
    expect((await store.all('aside')).map(({ envelope }) => envelope)).toEqual(['new']);
  });

  it('keeps 500 of those at most, the newest', async () => {
    const { store } = await pruned(Array.from({ length: 507 }, (_, at) => aside(`e${at}`, NOW + at)));
    expect(await store.count('aside')).toBe(500);
    expect(await store.older('aside', Number.POSITIVE_INFINITY, 1)).toEqual(['e7']);
  });

  it('keeps 2000 that wait in groups, and of what floods one takes nothing from the others', async () => {
    const held = (group: string, at: number): Write => ({
      table: 'held',
      put: { group, envelope: `${group}${at}`, at: NOW + at, body: new Uint8Array(0) },
    });
    const flood = Array.from({ length: 2400 }, (_, at) => held('flood', 1000 + at));
    const many = Array.from({ length: 900 }, (_, at) => held('many', 1000 + at));
    const few = Array.from({ length: 300 }, (_, at) => held('few', at));
    const { store } = await pruned([...few, ...flood, ...many, held('one', -31 * DAY)]);
    const left = await store.all('held');
    const of = (group: string) => left.filter((row) => row.group === group);
    expect(['few', 'flood', 'many', 'one'].map((group) => of(group).length)).toEqual([300, 850, 850, 0]);
    expect(Math.min(...of('flood').map(({ at }) => at))).toBe(NOW + 1000 + 2400 - 850);
    const { store: whole } = await pruned(flood);
    expect(await whole.count('held')).toBe(2000);
  });

  it('goes in batches, and writes nothing when there is nothing to do', async () => {
    const many = Array.from({ length: 1203 }, (_, at) => seen(`e${at}`, 50));
    const { store, commits } = await pruned([...many, seen('new', 1)]);
    expect(commits).toEqual([500, 500, 203]);
    expect(await store.count('seen')).toBe(1);
    expect((await pruned([seen('new', 1), aside('new', NOW)])).commits).toEqual([]);
  });
});
