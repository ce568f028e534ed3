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
import { settingsOf } from './settings.ts';

/** How long a word of somebody who writes is good for, and how often it is repeated, in ms. */
const TYPING_MS = 6_000;
const TYPING_EVERY_MS = 3_000;
/** The same of being there. */
const PRESENCE_MS = 100_000;
const PRESENCE_EVERY_MS = 45_000;
/** How many hear that one is there: those one talked to last. */
const PRESENCE_PEERS = 32;

export interface Signals {
  connected(connection: Connection): void;
  disconnected(): void;
  heard(signals: readonly IncomingLive[]): Promise<void>;
  /** The person writes something, or has stopped. */
  typing(conversation: string, typing: boolean): Promise<void>;
  /** The person is there, until this is taken back. */
  present(present: boolean): Promise<void>;
  stop(): void;
}

interface Options {
  model: Model;
  clock: Clock;
  /** Told of what others do, each time it changes. */
  onSigns(signs: Signs): void;
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

/** Whether the person has taken up with somebody: strangers and who is blocked learn nothing and say nothing. */
const talksTo = ({ conversations }: Model, self: SelfRow, account: string): boolean => {
  const conversation = conversations.get(account);
  return (
    account !== self.account &&
    conversation !== undefined &&
    !conversation.request &&
    !self.blocked?.includes(account)
  );
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

/** Who does something this moment: each for a while, unless it is said again. */
const createMoments = (clock: Clock, changed: () => void) => {
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
export const createSignals = ({ model, clock, onSigns }: Options): Signals => {
  const windows = new Map<string, SignalWindow>();
  const heardInGroups: Heard = new Map();
  const said = new Map<string, number>();
  let connection: Connection | undefined;
  let isPresent = false;
  /** Whether others may hear it. */
  let shares = model.self !== undefined && settingsOf(model.self).presence;
  let cancelPresence: (() => void) | undefined;

  const changed = (): void => {
    onSigns({
      typing: typingOf(writing.keys()),
      online: online.keys(),
    });
  };
  const writing = createMoments(clock, changed);
  const online = createMoments(clock, changed);

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

  const sayPresence = async (online: boolean): Promise<void> => {
    cancelPresence?.();
    cancelPresence = undefined;
    if (!connection) return;
    const peers = [...model.conversations.values()]
      .toSorted((a, b) => (b.last?.time ?? b.createdAt) - (a.last?.time ?? a.createdAt))
      .slice(0, PRESENCE_PEERS);
    if (online) cancelPresence = clock.after(PRESENCE_EVERY_MS, () => void repeat());
    await say(
      peers.map(({ id }) => id),
      { kind: 'presence', online },
    );
  };

  /** Fails when the store is closed or broken: then nobody is there. */
  const repeat = (): Promise<void> => sayPresence(isPresent && shares).catch(() => undefined);

  /** Who keeps from now on that they are there takes back what was said of it. */
  const follow = (self: SelfRow): void => {
    const { presence } = settingsOf(self);
    if (presence === shares) return;
    shares = presence;
    if (isPresent) void repeat();
  };

  // Who has sent what they wrote has stopped writing.
  const unsubscribe = model.onChange((writes) => {
    for (const write of writes) {
      if (write.table === 'self' && 'put' in write) follow(write.put);
      if (write.table === 'message' && 'put' in write && write.put.unread)
        writing.end(keyOf(write.put.conversation, write.put.from));
    }
  });

  const hear = async (body: Uint8Array<ArrayBuffer>): Promise<void> => {
    const { self } = model;
    const heard = self && (await openSignal(self, model, windows, body, clock.now()));
    if (!heard || !connection) return;
    const { account, signal } = heard;
    if (signal.kind === 'typing') setWriting(account, account, signal.typing);
    else if (signal.online) online.put(account, PRESENCE_MS);
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
    if (!model.conversations.get(conversation)?.group) return say([conversation], { kind: 'typing', typing });
    const body = await groupSignal(model, conversation, typing, clock.now());
    if (!body || !connection) return false;
    return connection.livePost({ channel: conversation as unknown as ChannelId, body });
  };

  const forget = (): void => {
    connection = undefined;
    cancelPresence?.();
    writing.clear();
    online.clear();
    changed();
  };

  return {
    connected(next) {
      connection = next;
      if (isPresent && shares) void repeat();
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
      if (!self || !settingsOf(self).typing) return;
      const since = clock.now() - (said.get(conversation) ?? 0);
      if (typing ? since < TYPING_EVERY_MS : !said.has(conversation)) return;
      if (typing) said.set(conversation, clock.now());
      else said.delete(conversation);
      const isHeard = await sayWriting(conversation, typing);
      if (!isHeard) said.delete(conversation);
    },
    async present(present) {
      if (present === isPresent) return;
      isPresent = present;
      if (shares) await sayPresence(present);
    },
    stop() {
      unsubscribe();
      forget();
    },
  };
};
