import { toBase64url, utf8 } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { sealField } from '@sotto/crypto/group-field';
import { createLinkSecret } from '@sotto/crypto/group-link';
import { generateSigningKey } from '@sotto/crypto/keys';
import { createGroup, propose } from '@sotto/crypto/membership';
import { createChores } from '@sotto/engine/groups/chores';
import { withTexts } from '@sotto/engine/groups/group-rows';
import { withRequests } from '@sotto/engine/groups/requests';
import { settingsText } from '@sotto/engine/groups/settings';
import { openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import type { GroupRow, RequestRow, SelfRow } from '@sotto/engine/rows';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { expect, it } from 'vitest';

const ME = 'A'.repeat(43);
const GROUP = 'GGGGGGGGGGGGGGGGGGGGGA';

it('the relay is told of a link by who can read it', async () => {
  const [log, channel, { privateKey: signing }] = await Promise.all([
    createGroupKey('log', GROUP),
    createGroupKey('channel', GROUP),
    generateSigningKey(),
  ]);
  const actor = { account: ME, device: toBase64url(new Uint8Array(16)) };
  const made = await createGroup({
    group: GROUP,
    actor,
    signing,
    createdAt: 1,
    channel: channel.id,
    log: log.id,
  });
  const text = settingsText({ secret: createLinkSecret() as never, approval: false, history: 'none' });
  const { value } = await sealField(channel, 'settings', utf8(text));
  const operation = { kind: 'field', field: 'settings', value } as const;
  const { state } = await propose({ state: made.state, actor, signing, createdAt: 2, operation });
  const row: GroupRow = { group: GROUP, log, channels: [], state, linkEpoch: 1, linkDue: true };
  const store = createMemoryDisk().open();
  const model = await openModel(store);
  await model.change(async (draft) => {
    const self = { key: 'self', ...actor, signing: { privateKey: signing }, devices: [] };
    draft.put('self', self as never as SelfRow, 'self');
    draft.put('group', await withTexts(row), GROUP);
  });
  const told: Parameters<Transport['putLink']>[2][] = [];
  const transport = {
    async putLink(_signer, _channel, request) {
      told.push(request);
    },
  } as Partial<Transport> as Transport;
  const doChores = createChores(
    { model, transport, directory: {}, clock: {} } as never,
    async () => undefined,
  );
  await doChores(GROUP);
  expect(told).toEqual([]);
  // The channel key comes.
  await model.change(async (draft) => {
    const now = (await draft.get('group', GROUP))!;
    expect(now.linkDue).toBe(true);
    draft.put('group', await withTexts({ ...now, channels: [channel] }), GROUP);
  });
  await doChores(GROUP);
  expect(told).toMatchObject([{ epoch: 1, link: { hash: expect.any(String) } }]);
  expect((await store.get('group', GROUP))!.linkDue).toBeUndefined();
});

it('requests that nobody has checked displace none that somebody has', () => {
  const requestOf = (id: number, checked: boolean) =>
    ({ id: `${id}`, ...(checked && { checked }) }) as RequestRow;
  const checked = Array.from({ length: 150 }, (_, n) => requestOf(n, true));
  const claimed = Array.from({ length: 300 }, (_, n) => requestOf(1000 + n, false));
  const { requests } = withRequests({ group: GROUP } as GroupRow, [...checked, ...claimed]);
  expect(requests).toEqual([...checked, ...claimed.slice(-200)]);
});
