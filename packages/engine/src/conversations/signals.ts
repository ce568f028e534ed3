import { Content } from '@sotto/contract/content';
import type { IncomingLive, LiveEnvelope } from '@sotto/contract/envelope';
import type { ChannelId, DeliveryToken, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { decode, encode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import { open, seal } from '@sotto/crypto/seal';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import { decryptSignal, encryptSignal, type SignalWindow } from '@sotto/crypto/signal';
import type { Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import { groupSignal, openGroupSignal, type Heard } from '../groups/signals.ts';
import type { Connection } from '../ports.ts';
import type { SelfRow } from '../rows.ts';
import type { Signs } from '../signs.ts';
import { isAmong, talksTo } from './audience.ts';
import { createPresence } from './presence.ts';
import { createSightings } from './sightings.ts';
import { settingsOf } from './settings.ts';

/** How long a word of somebody who writes is good for, and how often it is repeated, in ms. */
const TYPING_MS = 6_000;
const TYPING_EVERY_MS = 3_000;
/** How long a word of somebody who is there is good for, in ms. */
const PRESENCE_MS = 100_000;

export interface Signals {
  connected(connection: Connection): void;
  disconnected(): void;
  heard(signals: readonly IncomingLive[]): Promise<void>;
  /** The person writes something, or has stopped. */
  typing(conversation: string, typing: boolean): Promise<void>;
  /** The person is there, until this is taken back. */
  present(present: boolean): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  model: Model;
  clock: Clock;
  /** Told of what others do, each time it changes. */
  onSigns(signs: Signs): void;
  onError(error: unknown): void;
}

type Signal = Extract<Content, { kind: 'typing' | 'presence' }>;

/** What a body said, by the device that it proves to come from; undefined when it says nothing to go by. */
const openSignal = async (
  self: SelfRow,
  model: Model,
  windows: Map<string, SignalWindow>,
  body: Uint8Array<ArrayBuffer>,
  now: number,
): Promise<{ account: string; signal: Signal } | undefined> => {
  const me = { account: self.account, device: self.device };
  const sealed = await open({ me, sealingKeys: self.sealing, envelope: body });
  const { account, device } = sealed.from;
  const contact = model.contacts.get(account);
  const isKnown = contact?.devices.some((known) => known.device === device);
  if (sealed.kind !== KIND_SESSION || !isKnown || !talksTo(model, self, account)) return undefined;
  const { state } = (await model.store.get('peer', [account, device])) ?? {};
  const window = windows.get(device) ?? [];
  const heard = await decryptSignal({ state, window, body: sealed.body, now });
  if (!heard) return undefined;
  windows.set(device, heard.window);
  const content = Content.safeParse(decode(heard.plaintext)).data;
  const isSignal = content?.kind === 'typing' || content?.kind === 'presence';
  return isSignal ? { account, signal: content } : undefined;
};

/** Live signals for the devices of somebody with whom there are sessions that both sides have. */
const signalsFor = async (
  model: Model,
  self: SelfRow,
  account: string,
  content: Signal,
  now: number,
): Promise<LiveEnvelope[]> => {
  const contact = model.contacts.get(account);
  const { token, changed, introduced } = contact ?? {};
  // Without the token they would be a stranger's. Who has not heard from this account learns nothing of it.
  if (!contact || token === undefined || changed || !introduced || !talksTo(model, self, account)) return [];
  const from = { account: self.account, device: self.device };
  const envelopes: LiveEnvelope[] = [];
  for (const { device, sealing } of contact.devices) {
    const peer = sealing && (await model.store.get('peer', [account, device]));
    if (!peer || peer.renew) continue;
    try {
      const { body } = await encryptSignal({ state: peer.state, plaintext: encode(content), now });
      const to = { account, device, sealingKey: sealing };
      const envelope = await seal({ from, to, kind: KIND_SESSION, body });
      envelopes.push({ device: device as DeviceId, token: token as DeliveryToken, body: envelope });
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
    }
  }
  return envelopes;
};

/** Who does something this moment: each for a while, unless it is said again. `ranOut`: it was not. */
const createMoments = (clock: Clock, changed: () => void, ranOut?: (key: string) => void) => {
  const moments = new Map<string, () => void>();
  const end = (key: string): boolean => {
    moments.get(key)?.();
    return moments.delete(key);
  };
  return {
    keys: () => [...moments.keys()],
    put(key: string, ms: number): void {
      const known = end(key);
      moments.set(
        key,
        clock.after(ms, () => {
          moments.delete(key);
          ranOut?.(key);
          changed();
        }),
      );
      if (!known) changed();
    },
    end(key: string): void {
      if (end(key)) changed();
    },
    clear(): void {
      for (const key of moments.keys()) end(key);
    },
  };
};

/** Who writes, where. */
const keyOf = (conversation: string, account: string): string => `${conversation} ${account}`;

const typingOf = (keys: readonly string[]): Signs['typing'] => {
  const typing: Signs['typing'] = {};
  for (const key of keys) {
    const [conversation = '', account = ''] = key.split(' ');
    (typing[conversation] ??= []).push(account);
  }
  return typing;
};

/** Typing and presence: said over the connection that there is, kept in memory, and forgotten by themselves. */
export const createSignals = ({ model, clock, onSigns, onError }: Options): Signals => {
  const windows = new Map<string, SignalWindow>();
  const heardInGroups: Heard = new Map();
  const said = new Map<string, number>();
  let connection: Connection | undefined;
  const sightings = createSightings(model, onError);

  const changed = (): void => {
    onSigns({
      typing: typingOf(writing.keys()),
      online: online.keys(),
    });
  };
  const writing = createMoments(clock, changed);
  const online = createMoments(clock, changed, sightings.lost);

  /** Whether there was anybody to hear it. */
  const say = async (accounts: readonly string[], content: Signal): Promise<boolean> => {
    const { self } = model;
    if (!self || !connection) return false;
    const envelopes: LiveEnvelope[] = [];
    for (const account of accounts) {
      envelopes.push(...(await signalsFor(model, self, account, content, clock.now())));
    }
    for (let start = 0; start < envelopes.length; start += LIMITS.livePerSend) {
      connection?.live(envelopes.slice(start, start + LIMITS.livePerSend));
    }
    return envelopes.length > 0;
  };

  const presence = createPresence({ model, clock, say });

  // Who has sent what they wrote has stopped writing.
  const unsubscribe = model.onChange((writes) => {
    for (const write of writes) {
      if (write.table === 'self' && 'put' in write) presence.follow(write.put);
      if (write.table === 'contact' && 'put' in write && write.put.lastSeen === undefined)
        sightings.forgotten(write.put.account);
      if (write.table === 'message' && 'put' in write && write.put.unread)
        writing.end(keyOf(write.put.conversation, write.put.from));
    }
  });

  const hear = async (body: Uint8Array<ArrayBuffer>): Promise<void> => {
    const { self } = model;
    const heard = self && (await openSignal(self, model, windows, body, clock.now()));
    if (!heard || !connection) return;
    const { account, signal } = heard;
    if (signal.kind === 'typing') return setWriting(account, account, signal.typing);
    sightings.heard(account, signal, clock.now());
    if (signal.online) online.put(account, PRESENCE_MS);
    else online.end(account);
  };

  const setWriting = (conversation: string, account: string, typing: boolean): void => {
    const key = keyOf(conversation, account);
    if (typing) writing.put(key, TYPING_MS);
    else writing.end(key);
  };

  const hearGroup = async (group: string, body: Uint8Array<ArrayBuffer>): Promise<void> => {
    const { self } = model;
    const at = { group, body, heard: heardInGroups, now: clock.now() };
    const signal = self && (await openGroupSignal(model, self, at));
    if (signal && connection) setWriting(group, signal.account, signal.typing);
  };

  /** Whether there was anybody to hear it. */
  const sayWriting = async (conversation: string, typing: boolean): Promise<boolean> => {
    const { self } = model;
    if (!self) return false;
    if (!model.conversations.get(conversation)?.group) return say([conversation], { kind: 'typing', typing });
    const { typing: audience } = settingsOf(self);
    const mayHear = (account: string): boolean =>
      isAmong(audience, self, { account, direct: model.conversations.get(account) });
    const body = await groupSignal(model, conversation, mayHear, { typing, now: clock.now() });
    if (!body || !connection) return false;
    return connection.livePost({ channel: conversation as unknown as ChannelId, body });
  };

  const forget = (): void => {
    connection = undefined;
    presence.disconnected();
    writing.clear();
    online.clear();
    sightings.lostAll();
    changed();
  };

  return {
    connected(next) {
      connection = next;
      presence.connected();
    },
    disconnected: forget,
    async heard(signals) {
      for (const { body, channel } of signals) {
        // Whatever does not open is nobody's: there is nothing to set aside, and nobody to tell.
        const bytes = body as Uint8Array<ArrayBuffer>;
        const hearing = channel === undefined ? hear(bytes) : hearGroup(channel, bytes);
        await hearing.catch(() => undefined);
      }
    },
    async typing(conversation, typing) {
      const { self } = model;
      if (!self || settingsOf(self).typing === 'nobody') return;
      const since = clock.now() - (said.get(conversation) ?? 0);
      if (typing ? since < TYPING_EVERY_MS : !said.has(conversation)) return;
      if (typing) said.set(conversation, clock.now());
      else said.delete(conversation);
      const isHeard = await sayWriting(conversation, typing);
      if (!isHeard) said.delete(conversation);
    },
    present: presence.present,
    stop() {
      unsubscribe();
      forget();
      return sightings.kept();
    },
  };
};
