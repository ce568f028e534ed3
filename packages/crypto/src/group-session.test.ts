import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { KIND_GROUP_MESSAGE, openEntry, openPost, sealEntry, sealPost } from './channel-seal.ts';
import { acceptGroupKeys, groupOfKeys, handOverGroupKeys } from './channel.ts';
import type { Handed } from './group-carrier.ts';
import { act, addition, devicesOf, NOW, someGroup } from './group-suite.ts';
import { readGroupMessage } from './group-message.ts';
import { applyEntries } from './membership.ts';
import { acceptSenderKey, decryptGroupMessage, groupOfSenderKey } from './sender-key-receive.ts';
import { createSenderKey, encryptGroupMessage, handOverSenderKey } from './sender-key.ts';
import { conversation, read, type TestDevice } from './session-suite.ts';
import { encryptKey } from './session.ts';
import { flipped } from './test-support.ts';

const seal = async (from: TestDevice, to: TestDevice, { key, context }: Handed) => {
  const sent = await encryptKey({ state: from.peers.get(to.device)!, key, context, now: NOW });
  from.peers.set(to.device, sent.state);
  return sent.body;
};

const carry = async (from: TestDevice, to: TestDevice, handed: Handed): Promise<Handed> => {
  const result = await read(to, from, await seal(from, to, handed), NOW);
  if (result.outcome !== 'message' || result.content.type !== 'key') throw new Error(result.outcome);
  return result.content;
};

describe('a newcomer', () => {
  it('is handed everything in a session: reads the log, and what is posted from then on', async () => {
    const { a: alice, b: bob } = await conversation();
    const { keys, state: empty, entry } = await someGroup(alice);
    const added = await act(empty, alice, addition(bob));
    const { state } = added;
    const stored = [await sealEntry(keys.log, 0, entry), await sealEntry(keys.log, 1, added.entry)];
    const own = await createSenderKey({ state, owner: alice, now: NOW });
    const given = await handOverSenderKey({ own, state, now: NOW });
    const both = await carry(alice, bob, await handOverGroupKeys({ keys, state }));
    const senderKey = await carry(alice, bob, given.handed);
    expect([both.key.extractable, senderKey.key.extractable]).toEqual([false, false]);
    expect([both, senderKey].map(({ context }) => groupOfKeys(context))).toEqual([state.group, undefined]);
    expect([both, senderKey].map(({ context }) => groupOfSenderKey(context))).toEqual([
      undefined,
      state.group,
    ]);

    const taken = await acceptGroupKeys(both);
    const entries = await Promise.all(
      stored.map(async (one) => (await openEntry(taken.keys.log, one)).entry),
    );
    const known = await applyEntries({ state: undefined, entries, devices: devicesOf([alice, bob]) });
    expect(known).toEqual(state);
    expect({ epoch: taken.epoch, hash: taken.stateHash }).toEqual({ epoch: known.epoch, hash: known.hash });

    const content = utf8('welcome');
    const { message: body } = await encryptGroupMessage({ own: given.own, state, content, now: NOW });
    const post = await sealPost({ keys, state, kind: KIND_GROUP_MESSAGE, body });
    const opened = await openPost([taken.keys.channel], post);
    const theirs = { state: undefined, group: known.group, from: alice, handed: senderKey, now: NOW };
    const result = await decryptGroupMessage({
      keys: await acceptSenderKey(theirs),
      state: known,
      epoch: opened.epoch,
      message: readGroupMessage(opened.body),
      now: NOW,
    });
    expect(result).toMatchObject({
      outcome: 'message',
      content,
      standing: { view: 'current', role: 'owner' },
    });
  });

  it('is handed nothing whose context or key was changed on the way', async () => {
    const { a: alice, b: bob } = await conversation();
    const { state } = await someGroup(alice);
    const own = await createSenderKey({ state, owner: alice, now: NOW });
    const { handed } = await handOverSenderKey({ own, state, now: NOW });
    const body = await seal(alice, bob, handed);
    // The context, and the wrapped key behind it, are the end of the body.
    for (let at = body.length - handed.context.length - 48; at < body.length; at += 7) {
      const code = expect.objectContaining({ code: 'cannot-decrypt' });
      await expect(read(bob, alice, flipped(body, at), NOW), `byte ${at}`).rejects.toThrow(code);
    }
    expect(await read(bob, alice, body, NOW)).toMatchObject({ outcome: 'message' });
  });
});
