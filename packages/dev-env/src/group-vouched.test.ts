import * as suite from '@sotto/crypto/group-suite';
import type { GroupState } from '@sotto/crypto/membership-state';
import { applyLog } from '@sotto/engine/groups/log';
import { openModel } from '@sotto/engine/model';
import type { ContactRow, GroupRow, SelfRow } from '@sotto/engine/rows';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { beforeAll, describe, expect, it } from 'vitest';

let gone: suite.Person, ann: suite.Person, me: suite.Person, eve: suite.Person;
let made: Awaited<ReturnType<typeof suite.someGroup>>;
let entries: Uint8Array<ArrayBuffer>[];
let states: GroupState[];

const by = async (who: suite.Person, operation: Parameters<typeof suite.act>[2]): Promise<void> => {
  const { entry, state } = await suite.act(states.at(-1)!, who, operation);
  entries.push(entry);
  states.push(state);
};

beforeAll(async () => {
  [gone, ann, me, eve] = (await suite.people(4)) as [suite.Person, suite.Person, suite.Person, suite.Person];
  made = await suite.someGroup(gone);
  [entries, states] = [[made.entry], [made.state]];
  await by(gone, suite.addition(ann, me));
  await by(gone, { kind: 'policy', policy: 1 });
});

const GAP = { code: 'membership-gap' };

/** What comes of the log for somebody who cannot have the keys of its maker: its epoch, or why not. */
const read = async (
  log: readonly Uint8Array<ArrayBuffer>[],
  { state, stated }: Pick<GroupRow, 'state' | 'stated'> = {},
  { lost = [gone], known }: { lost?: suite.Person[]; known?: suite.Person } = {},
): Promise<unknown> => {
  const store = createMemoryDisk().open();
  const model = await openModel(store);
  const keysOf = ({ account, device, signing }: suite.Person) => ({
    account,
    chain: [],
    devices: [{ device, signing: signing.publicKey }],
  });
  const { group, keys } = made;
  const row: GroupRow = {
    group,
    log: keys.log,
    channels: [],
    ...(state && { state }),
    ...(stated && { stated }),
  };
  await model.change((draft) => {
    for (const one of [ann, eve]) draft.put('contact', keysOf(one) as never as ContactRow, one.account);
    draft.put(
      'self',
      { ...keysOf(me), key: 'self', device: me.device, createdAt: 0 } as never as SelfRow,
      'self',
    );
    if (known) {
      const chain = [{ event: new Uint8Array(0), seenAt: 0 }];
      draft.put('contact', { ...keysOf(known), chain } as never as ContactRow, known.account);
    }
    draft.put('group', row, group);
  });
  try {
    await model.change(async (draft) => {
      const self = (await draft.get('self', 'self'))!;
      const context = { draft, self, now: suite.NOW, lost: new Set(lost.map(({ account }) => account)) };
      await applyLog(
        context,
        row,
        log.map((bytes) => ({ bytes })),
        { request: true },
      );
    });
  } catch (error) {
    return error;
  }
  return (await store.get('group', group))!.state!.epoch;
};

describe('entries of who is gone', () => {
  const said = (who: suite.Person, epoch: number, hash = states[epoch]!.hash) => ({
    stated: [{ by: who.account, epoch, hash }],
  });

  it('are taken when a member has said that the log was so, who handed over its keys', async () => {
    expect(await read(entries, said(ann, 2))).toBe(2);
  });

  it('are taken when a member has acted after them', async () => {
    const { entry } = await suite.act(states[2]!, ann, suite.addition(eve));
    expect(await read([...entries, entry])).toBe(3);
  });

  it('are not taken when nobody stands for the last of them', async () => {
    expect(await read(entries)).toMatchObject(GAP);
    expect(await read(entries, said(ann, 1))).toMatchObject(GAP);
    expect(await read(entries, said(ann, 2, states[1]!.hash))).toMatchObject(GAP);
    expect(await read(entries, said(eve, 2))).toMatchObject(GAP);
    expect(await read(entries.slice(1), { state: states[0]! })).toMatchObject(GAP);
    const { entry } = await suite.act(states[1]!, ann, { kind: 'leave' });
    const other = [...entries.slice(0, 2), entry, entries[2]!];
    expect(await read(other)).toMatchObject(GAP);
    expect(await read(other, said(ann, 1))).toMatchObject({ code: 'group-fork' });
  });

  it('are refused of who can be looked up, whoever stands for them', async () => {
    expect(await read(entries, said(ann, 2), { lost: [] })).toMatchObject({ code: 'membership-invalid' });
  });
});

describe('entries of somebody whose chain is known here, and who cannot be looked up', () => {
  it('are not taken on the word of others when they name a device that is not on it', async () => {
    const [other] = await suite.people(1);
    const forged = await suite.act(
      states[2]!,
      { ...other!, account: gone.account },
      {
        kind: 'role',
        account: ann.account,
        role: 'owner',
      },
    );
    const { entry } = await suite.act(forged.state, ann, suite.addition(eve));
    const log = [...entries, forged.entry, entry];
    expect(await read(log)).toBe(4);
    expect(await read(log, {}, { known: gone })).toMatchObject(GAP);
  });

  it('are not taken so of this account itself', async () => {
    const [other] = await suite.people(1);
    const { entry: role, state } = await suite.act(states[2]!, gone, {
      kind: 'role',
      account: me.account,
      role: 'admin',
    });
    const forged = await suite.act(state, { ...other!, account: me.account }, { kind: 'policy', policy: 0 });
    const { entry } = await suite.act(forged.state, ann, { kind: 'leave' });
    const log = [...entries, role, forged.entry, entry];
    expect(await read(log, {}, { known: gone, lost: [me] })).toMatchObject(GAP);
  });

  it('are checked with what is kept of it', async () => {
    expect(await read(entries, {}, { known: gone })).toBe(2);
    const bent = new Uint8Array(entries[2]!);
    bent[bent.length - 1]! ^= 1;
    expect(await read([...entries.slice(0, 2), bent], {}, { known: gone })).toMatchObject({
      code: 'membership-invalid',
    });
  });
});
