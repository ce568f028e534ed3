import type { IncomingLive, LiveEnvelope } from '@sotto/contract/envelope';
import type { Transport } from '@sotto/engine/ports';
import { openVault } from '@sotto/engine/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, hears } from './circle.ts';
import { idOf, meet, viewOf } from './meeting.ts';
import { createWorld, online, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** Hears what an engine says and gets to hear live. */
const tap = () => {
  const said: LiveEnvelope[] = [];
  const heard: IncomingLive[] = [];
  const wrap: Wrap = {
    transport: (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        const connection = inner.connect(signer, {
          ...listener,
          live: (signals) => {
            heard.push(...signals);
            listener.live(signals);
          },
        });
        return {
          ...connection,
          live: (signals) => {
            said.push(...signals);
            return connection.live(signals);
          },
        };
      },
    }),
  };
  return { said, heard, wrap };
};

describe('typing', () => {
  it('in a group is shown to who is in it, each by name, and ends with the message', async () => {
    const cyds = tap();
    const { all, id, views } = await circle(world, 'several', [{}, {}, cyds.wrap]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    // The key that proves it goes out with the first message.
    for (const one of all) await one.engine.send(id, `from ${accountOf(one)}`);
    await Promise.all(views.flatMap((view) => all.map((one) => hears(view, `from ${accountOf(one)}`))));
    const typing = (at: number) => views[at]!.getSnapshot().typing.toSorted();
    await ann.engine.typing(id, true);
    await bob.engine.typing(id, true);
    const both = [ann, bob].map(accountOf).toSorted();
    await until(views[2]!, () => typing(2).join() === both.join(), 'both of them');
    expect(Object.keys(views[2]!.getSnapshot().people!)).toEqual(expect.arrayContaining(both));
    await until(views[0]!, () => typing(0).join() === accountOf(bob), 'the other alone');
    await bob.engine.typing(id, false);
    await until(views[2]!, () => typing(2).length === 1, 'the end of one');
    await ann.engine.send(id, 'done');
    await ann.engine.typing(id, false);
    await hears(views[2]!, 'done');
    await until(views[2]!, () => typing(2).length === 0, 'the end');
    // Who keeps it to themselves says nothing, and who is blocked is not heard.
    await bob.engine.setSettings({ typing: 'nobody' });
    await cyd.engine.openDirect(accountOf(ann));
    await cyd.engine.block(accountOf(ann) as unknown as typeof id);
    const seen: string[] = [];
    views[2]!.subscribe(() => seen.push(...views[2]!.getSnapshot().typing));
    const before = cyds.heard.length;
    await bob.engine.typing(id, true);
    await ann.engine.typing(id, true);
    await until(views[1]!, () => typing(1).length === 1, 'who is not blocked there');
    await expect.poll(() => cyds.heard.length).toBeGreaterThan(before);
    expect(seen).toEqual([]);
  });

  it('is shown while it goes on, ends with the message, and is stored nowhere', async () => {
    const { ann, bob, withAnn, withBob, anns } = await meet(world, 'typing');
    await expect.poll(async () => bob.store.all('outbox')).toEqual([]);
    const stored = async () => JSON.stringify([await ann.store.all('seen'), await bob.store.all('outbox')]);
    const before = await stored();
    await bob.engine.typing(withAnn, true);
    await until(anns, ({ typing }) => typing.length === 1, 'typing');
    expect(anns.getSnapshot().typing).toEqual([withBob]);
    expect(ann.engine.getSnapshot().conversations[0]!.typing).toEqual([withBob]);
    expect(await stored()).toBe(before);
    await bob.engine.typing(withAnn, false);
    await until(anns, ({ typing }) => typing.length === 0, 'the end');
    await bob.engine.typing(withAnn, true);
    await until(anns, ({ typing }) => typing.length === 1, 'typing again');
    await bob.engine.send(withAnn, 'done');
    await until(anns, ({ messages }) => messages.at(-1)!.text === 'done', 'the message');
    expect(anns.getSnapshot().typing).toEqual([]);
  });

  it('ends by itself', async () => {
    const { bob, withAnn, anns } = await meet(world, 'stops');
    await bob.engine.typing(withAnn, true);
    await until(anns, ({ typing }) => typing.length === 1, 'typing');
    await bob.engine.close();
    await until(anns, ({ typing }) => typing.length === 0, 'the end');
  });

  it('is said once in a while, not at every key, and never when it is off', async () => {
    const { said, wrap } = tap();
    const { bob, withAnn } = await meet(world, 'keys', { bob: wrap });
    const start = Date.now();
    for (let key = 0; key < 20; key += 1) await bob.engine.typing(withAnn, true);
    expect(said.length).toBeLessThanOrEqual(1 + Math.floor((Date.now() - start) / 3000));
    await bob.engine.typing(withAnn, false);
    const most = said.length;
    await bob.engine.typing(withAnn, false);
    expect(said).toHaveLength(most);
    await bob.engine.setSettings({ typing: 'nobody' });
    await bob.engine.typing(withAnn, true);
    await bob.engine.typing(withAnn, false);
    expect(said).toHaveLength(most);
  });
});

describe('presence', () => {
  it('is shown to those one talks to, until it is taken back or turned off', async () => {
    const { ann, bob, anns, withBob } = await meet(world, 'there');
    await bob.engine.present(true);
    await until(anns, ({ online: isThere }) => isThere, 'there');
    expect(ann.engine.getSnapshot().conversations.find(({ id }) => id === withBob)!.online).toBe(true);
    await bob.engine.present(false);
    await until(anns, ({ online: isThere }) => !isThere, 'away');
    await bob.engine.setSettings({ presence: 'nobody' });
    await bob.engine.present(true);
    await bob.engine.typing(idOf(ann), true);
    await until(anns, ({ typing }) => typing.length === 1, 'what came after');
    expect(anns.getSnapshot().online).toBe(false);
  });

  it('is taken back at once by who keeps it to themselves from now on, and said again by who does not', async () => {
    const { bob, anns } = await meet(world, 'shares');
    await bob.engine.present(true);
    await until(anns, ({ online: isThere }) => isThere, 'there');
    await bob.engine.setSettings({ presence: 'nobody' });
    await until(anns, ({ online: isThere }) => !isThere, 'kept back');
    await bob.engine.setSettings({ presence: 'contacts' });
    await until(anns, ({ online: isThere }) => isThere, 'there again');
  });
});

describe('a live signal', () => {
  it('A13 goes neither to strangers nor to who is blocked, and is not taken from them', async () => {
    const { said, wrap } = tap();
    const name = `shy_${Math.random().toString(36).slice(2, 8)}`;
    const shy = await world.resident(name, wrap);
    const stranger = await world.resident(`${name}_s`);
    await Promise.all([online(shy.engine), online(stranger.engine)]);
    const withShy = await stranger.engine.addContact({ handle: shy.engine.getSnapshot().me!.handle });
    await stranger.engine.send(withShy, 'hello');
    const shys = await viewOf(shy, idOf(stranger));
    await until(shys, ({ messages }) => messages.length === 1, 'the request');
    await shy.engine.present(true);
    await shy.engine.typing(idOf(stranger), true);
    expect(said).toEqual([]);
    await shy.engine.present(false);

    await shy.engine.accept(idOf(stranger));
    const strangers = await viewOf(stranger, withShy);
    await until(
      strangers,
      ({ messages }) => ['delivered', 'read'].includes(messages[0]!.status),
      'the answer',
    );
    await stranger.engine.send(withShy, 'thanks');
    await until(shys, ({ messages }) => messages.length === 2, 'thanks');
    await shy.engine.typing(idOf(stranger), true);
    await until(strangers, ({ typing }) => typing.length === 1, 'typing');

    await shy.engine.block(idOf(stranger));
    const before = said.length;
    await shy.engine.typing(idOf(stranger), false);
    await shy.engine.present(true);
    expect(said).toHaveLength(before);
  });

  it('A13 says and shows nothing in a conversation that is a request, whatever else is known', async () => {
    const { said, heard, wrap } = tap();
    const { ann, bob, withAnn, withBob } = await meet(world, 'again', { ann: wrap });
    await ann.engine.close();
    const store = await openVault(ann.disk.open());
    const row = (await store.get('conversation', withBob))!;
    await store.commit([{ table: 'conversation', put: { ...row, request: true } }]);
    const engine = await ann.restart();
    await online(engine);
    await engine.typing(withBob, true);
    await engine.present(true);
    expect(said).toEqual([]);
    await bob.engine.typing(withAnn, true);
    await expect.poll(() => heard.length).toBe(1);
    const anns = await viewOf(ann, withBob);
    // A message would end it.
    await bob.engine.edit(withAnn, anns.getSnapshot().messages[0]!.id, 'after');
    await until(anns, ({ messages }) => messages[0]!.text === 'after', 'what came after');
    expect(engine.getSnapshot().conversations[0]!.typing).toEqual([]);
    await engine.accept(withBob);
    await engine.typing(withBob, true);
    expect(said).toHaveLength(1);
  });

  it('does no harm when it is noise, comes twice, or comes late', async () => {
    const { heard, wrap } = tap();
    let hear: ((signals: IncomingLive[]) => void) | undefined;
    const { bob, withAnn, anns } = await meet(world, 'noise', {
      ann: {
        transport: (inner) => {
          const tapped = wrap.transport!(inner);
          return {
            ...tapped,
            connect(signer, listener) {
              hear = (signals) => listener.live(signals);
              return tapped.connect(signer, listener);
            },
          };
        },
      },
    });
    await bob.engine.typing(withAnn, true);
    await until(anns, ({ typing }) => typing.length === 1, 'typing');
    await bob.engine.typing(withAnn, false);
    await until(anns, ({ typing }) => typing.length === 0, 'the end');
    const [first] = heard;
    hear!([first!, { body: new Uint8Array(0) }, { body: crypto.getRandomValues(new Uint8Array(400)) }]);
    await bob.engine.present(true);
    await until(anns, ({ online: isThere }) => isThere, 'what came after');
    expect(anns.getSnapshot().typing).toEqual([]);
  });

  it('of a group does none either, as noise, a replay, or a part of one', async () => {
    const heard: IncomingLive[] = [];
    let hear: ((signals: IncomingLive[]) => void) | undefined;
    const wrap: Wrap = {
      transport: (inner: Transport): Transport => ({
        ...inner,
        connect: (signer, listener) => {
          hear = (signals) => listener.live(signals);
          return inner.connect(signer, {
            ...listener,
            live: (signals) => {
              heard.push(...signals.filter(({ channel }) => channel !== undefined));
              listener.live(signals);
            },
          });
        },
      }),
    };
    const { all, id, views } = await circle(world, 'replay', [{}, {}, wrap]);
    const [ann, bob] = all as [Resident, Resident];
    for (const one of [ann, bob]) await one.engine.send(id, `from ${accountOf(one)}`);
    await Promise.all([ann, bob].map((one) => hears(views[2]!, `from ${accountOf(one)}`)));
    const cyds = views[2]!;
    await ann.engine.typing(id, true);
    await until(cyds, ({ typing }) => typing.length === 1, 'typing');
    await ann.engine.typing(id, false);
    await until(cyds, ({ typing }) => typing.length === 0, 'the end');
    const { channel, body } = heard[0]!;
    const noise = crypto.getRandomValues(new Uint8Array(body.length));
    hear!([heard[0]!, { ...heard[0]!, body: noise }, { ...heard[0]!, body: body.slice(0, 40) }]);
    expect(channel).toBe(id);
    await bob.engine.typing(id, true);
    await until(cyds, ({ typing }) => typing.length > 0, 'what came after');
    expect(cyds.getSnapshot().typing).toEqual([accountOf(bob)]);
  });
});
