import { RelayError } from '@sotto/contract/errors';
import type { ChannelId } from '@sotto/contract/ids';
import type { ChannelResponse } from '@sotto/contract/rest/channels';
import { equal, fromBase64url, type Bytes } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { openEntry } from '@sotto/crypto/channel-seal';
import { CryptoError } from '@sotto/crypto/errors';
import { linkPin } from '@sotto/crypto/group-link';
import { entryHash, readEntry } from '@sotto/crypto/membership-operation';
import { checkRoster, roleOf } from '@sotto/crypto/membership-state';
import type { Directory } from '../account/directory.ts';
import { signerOf } from '../account/signer.ts';
import { createBackoff, type Clock } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import { requestRepair } from '../inbox/repair.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { GroupRow, GroupStop, HeldRow, JoinRow } from '../rows.ts';
import { tellArrived, type Arrived } from './arrived.ts';
import { createChores, hasChores } from './chores.ts';
import { hasKey, keysInForce, putGroup, stopGroup } from './group-rows.ts';
import { actorOf, applyLog, type LogEntry } from './log.ts';
import { createProposer, type Propose } from './propose.ts';
import { pinOf } from './settings.ts';
import { takePost } from './taking.ts';

/** How long a sender key may be on its way before it is asked for, in ms. */
const PATIENCE_MS = 2_000;

/** Members who are looked up at once. */
const LEARNED_AT_ONCE = 8;

/** Then a channel key that nobody hands over is replaced by another, in ms. */
const LOST_MS = 60_000;

export interface Groups {
  /** All that waited is stored: the logs that came with it first, so that messages stand under the state of their time. */
  caughtUp(): void;
  disconnected(): void;
  /** The log of a group has to be looked at, or something that waited for it may be taken in. */
  look(group?: string): void;
  /** A channel key has to be made, where it is this account's to make one. */
  rekey(group: string): void;
  /** Reads the log now. @throws RelayError, CryptoError, StoreError */
  refresh(group: string): Promise<void>;
  propose: Propose;
  stop(): Promise<void>;
}

interface Options {
  model: Model;
  directory: Directory;
  transport: Transport;
  clock: Clock;
  /** Something was stored that others may have to hear of. */
  onStored: () => void;
  onError: (error: unknown) => void;
}

const STOPS: readonly string[] = [
  'group-fork',
  'roster-mismatch',
  'membership-invalid',
] satisfies GroupStop[];

/** Whether the log is that of the group which the link named. */
const isMeant = async ({ pin }: JoinRow, row: GroupRow, [first]: readonly LogEntry[]): Promise<boolean> => {
  if (row.state) return pinOf(row) === pin;
  return first !== undefined && linkPin(await entryHash(readEntry(first.bytes).content)) === pin;
};

/** Whether a revoked device of this account holds the channel key in force. */
const isLeaky = ({ leaky, state }: GroupRow): boolean =>
  leaky !== undefined && state !== undefined && equal(leaky, state.channel);

const isStop = (error: unknown): error is CryptoError & { code: GroupStop } =>
  error instanceof CryptoError && STOPS.includes(error.code);

/** Keeps the logs of groups up to date with the relay, and takes in what waited for that. */
export const createGroups = (options: Options): Groups => {
  const { model, directory, transport, clock, onStored, onError } = options;
  const backoff = createBackoff(500, 30_000);
  const learning = createBackoff(500, 30_000);
  const unknown = new Set<string>();
  const due = new Set<string>();
  const rekeys = new Set<string>();
  const chores = new Set<string>();
  /** Since when a channel key has been missed here, in ms. */
  const missing = new Map<string, number>();
  let isOnline = false;
  let isListDue = true;
  let isHeldDue = true;
  let cancelRetry: (() => void) | undefined;
  let cancelAsking: (() => void) | undefined;
  let cancelLearning: (() => void) | undefined;

  const signer = () => {
    if (!model.self) throw new RelayError('unauthenticated');
    return signerOf(model.self);
  };

  /** Fetches the keys of those whose entries are to be checked. What cannot be had shows when they are. */
  const learnActors = async (entries: readonly Bytes[]): Promise<void> => {
    const devices = new Map<string, Set<string>>();
    for (const bytes of entries) {
      const { account, device } = actorOf(bytes);
      devices.set(account, (devices.get(account) ?? new Set()).add(device));
    }
    for (const [account, named] of devices) {
      const known = account === model.self?.account ? model.self : model.contacts.get(account);
      const has = (device: string) =>
        known?.devices.some((entry) => entry.device === device) || known?.revoked?.includes(device);
      if ([...named].every(has)) continue;
      if (account === model.self?.account) await directory.refreshSelf();
      else await learnMember(account);
    }
  };

  const learnMember = async (account: string): Promise<void> => {
    const row = await directory.look(account);
    await model.change(async (draft) => {
      if (!(await draft.get('contact', account))) putContact(draft, row);
    });
  };

  /** All of the log from an epoch on, and the list of members as of its end. */
  const fetchLog = async (group: string, from: number): Promise<ChannelResponse> => {
    const entries: ChannelResponse['entries'] = [];
    for (let next = from; ;) {
      const page = await transport.channel(signer(), group as ChannelId, next);
      entries.push(...page.entries);
      const last = page.entries.at(-1);
      if (!page.more || !last) return { ...page, entries };
      next = last.epoch + 1;
    }
  };

  /** The members whom this account does not know: what they are called, and their keys. */
  const learnMembers = (members: readonly { account: string }[]): void => {
    for (const { account } of members) {
      if (account !== model.self?.account && !model.contacts.has(account)) unknown.add(account);
    }
    people.kick();
  };

  const people = createPump(async () => {
    while (isOnline && !cancelLearning && unknown.size > 0) {
      const some = [...unknown].slice(0, LEARNED_AT_ONCE);
      const results = await Promise.allSettled(some.map(learnMember));
      for (const [at, result] of results.entries()) {
        const error: unknown = result.status === 'rejected' ? result.reason : undefined;
        // They are gone, or what the relay says of them does not hold: the group goes on without them.
        const isTheirs = error instanceof CryptoError;
        const isGone = error instanceof RelayError && error.code === 'account-unknown';
        if (error === undefined || isTheirs || isGone) unknown.delete(some[at]!);
        else {
          onError(error);
          cancelLearning ??= clock.after(learning.next(), () => {
            cancelLearning = undefined;
            people.kick();
          });
        }
      }
      if (!cancelLearning) learning.reset();
    }
  });

  const openAll = (row: GroupRow, { entries }: ChannelResponse): Promise<LogEntry[]> =>
    Promise.all(
      entries.map(async ({ epoch, entry }) => {
        const opened = await openEntry(row.log, fromBase64url(entry));
        if (opened.epoch !== epoch) throw new CryptoError('membership-invalid', 'epoch');
        return { bytes: opened.entry };
      }),
    );

  const takeLog = async (
    draft: Draft,
    group: string,
    response: ChannelResponse,
    entries: readonly LogEntry[],
  ): Promise<void> => {
    const row = await draft.get('group', group);
    const self = (await draft.get('self', 'self'))!;
    const now = clock.now();
    if (!row || row.stopped) return;
    const join = self.joins?.find((one) => one.group === group);
    const isOther = join !== undefined && !(await isMeant(join, row, entries));
    if (isOther) {
      const joins = self.joins!.map((one) =>
        one === join ? { ...one, answer: 'other-group' as const } : one,
      );
      draft.put('self', { ...self, joins }, 'self');
      if (!row.state) return draft.remove('group', group);
    }
    const { rivals: _, ...first } = row;
    const next = await applyLog({ draft, self, now }, first, entries, { request: !response.joined });
    if (join && !isOther && next.state && roleOf(next.state, self.account)) {
      const { joins = [], ...rest } = (await draft.get('self', 'self'))!;
      const left = joins.filter((one) => one.group !== group);
      draft.put('self', { ...rest, ...(left.length > 0 && { joins: left }) }, 'self');
    }
    if (next.state?.epoch !== response.epoch) return;
    checkRoster(
      next.state,
      response.members.map(({ account, admin }) => ({ account, manages: admin })),
    );
  };

  const stop = (group: string, why: GroupStop): Promise<void> =>
    model.change(async (draft) => {
      const row = await draft.get('group', group);
      const { account: me } = (await draft.get('self', 'self'))!;
      if (row?.state) return stopGroup(draft, row, why, { me, now: clock.now() });
      if (!row) return undefined;
      // Nothing is known of it but what was handed over: others' keys are tried, and the right ones may still come.
      const [next, ...rivals] = row.rivals ?? [];
      if (!next) return draft.remove('group', group);
      const { log, channels } = next;
      due.add(group);
      pump.kick();
      return putGroup(draft, { ...row, log, channels, rivals });
    });

  const refresh = async (group: string): Promise<void> => {
    const row = model.groups.get(group);
    if (!row || row.stopped) return;
    try {
      const response = await fetchLog(group, row.state ? row.state.epoch + 1 : 0);
      const entries = await openAll(row, response);
      await learnActors(entries.map(({ bytes }) => bytes));
      const join = model.self?.joins?.find((one) => one.group === group);
      // On the relay's list it counts for every device of this account.
      if (join && !response.joined && (await isMeant(join, row, entries))) {
        await transport.joinChannel(signer(), group as ChannelId);
        response.joined = true;
      }
      await model.change((draft) => takeLog(draft, group, response, entries));
      learnMembers(response.members);
    } catch (error) {
      if (error instanceof RelayError && error.code === 'channel-unknown') {
        if (!row.state && !row.making) await stop(group, 'membership-invalid');
        return;
      }
      // An entry that is none, or under another key.
      const code = isStop(error)
        ? error.code
        : error instanceof CryptoError
          ? 'membership-invalid'
          : undefined;
      if (!code) throw error;
      await stop(group, code);
    } finally {
      isHeldDue = true;
    }
  };

  /** Which groups the relay has something new of. */
  const lookAtAll = async (): Promise<void> => {
    const { channels } = await transport.channels(signer());
    for (const { channel, epoch, joined } of channels) {
      const row = model.groups.get(channel);
      const isRequest = model.conversations.get(channel)?.request === true;
      if (row && (row.state?.epoch !== epoch || joined === isRequest)) due.add(channel);
      else if (row?.state) learnMembers(row.state.members);
      if (row && hasChores(row)) chores.add(channel);
      if (row && isLeaky(row)) rekeys.add(channel);
    }
    isListDue = false;
  };

  /** Tries what waits anew; whose sender keys are missing. */
  const takeHeld = async (): Promise<void> => {
    isHeldDue = false;
    const held = (await model.store.all('held')).toSorted((a, b) => a.at - b.at);
    if (held.length === 0) return;
    await learnHeld(held);
    const arrived: Arrived[] = [];
    const isNews = await model.change(async (draft) => {
      const self = (await draft.get('self', 'self'))!;
      let done = 0;
      for (const row of held) {
        const taken = await takePost({ draft, self, now: clock.now() }, row);
        const { group, envelope } = row;
        if (taken.hold) {
          const { from } = taken.hold;
          if (from?.device !== row.from?.device)
            draft.put('held', { ...row, ...(from && { from }) }, [group, envelope]);
          continue;
        }
        done += 1;
        draft.remove('held', [group, envelope]);
        if (taken.reason) draft.put('aside', { envelope, at: clock.now(), reason: taken.reason }, envelope);
        if (taken.arrived) arrived.push({ group, ...taken.arrived });
        if (taken.due) chores.add(group);
      }
      await tellArrived(draft, arrived, self.account);
      return done > 0;
    });
    if (isNews) isHeldDue = true;
    askLater();
  };

  /** The keys of who made entries that wait. */
  const learnHeld = async (held: readonly HeldRow[]): Promise<void> => {
    const entries: Bytes[] = [];
    for (const { group, body } of held) {
      const row = model.groups.get(group);
      if (!row) continue;
      const opened = await openEntry(row.log, body).catch((error: unknown) => {
        if (error instanceof CryptoError) return undefined;
        throw error;
      });
      if (opened) entries.push(opened.entry);
    }
    await learnActors(entries);
  };

  /** Who has the channel keys that are missing in these groups. */
  const keepersOf = async (groups: ReadonlySet<string>): Promise<NonNullable<HeldRow['from']>[]> => {
    const keepers: NonNullable<HeldRow['from']>[] = [];
    for (const group of groups) {
      const row = model.groups.get(group);
      if (row?.keyedBy && !row.stopped && !hasKey(row)) keepers.push(row.keyedBy);
    }
    return keepers.filter(({ device }) => device !== model.self?.device);
  };

  /** Asks for the keys that did not come by themselves, in the session with who has them. */
  const ask = async (): Promise<void> => {
    const held = await model.store.all('held');
    const keepers = await keepersOf(new Set(held.flatMap((row) => (row.from ? [] : [row.group]))));
    const senders = held.flatMap((row) => row.from ?? []);
    const from = new Map(
      [...senders, ...keepers].map((address) => [`${address.account} ${address.device}`, address]),
    );
    await model.change(async (draft) => {
      const self = (await draft.get('self', 'self'))!;
      for (const device of from.values()) {
        if (!self.blocked?.includes(device.account)) await requestRepair(draft, device, clock.now());
      }
    });
    onStored();
  };

  const askLater = (): void => {
    cancelAsking ??= clock.after(PATIENCE_MS, () => {
      cancelAsking = undefined;
      ask().catch(onError);
    });
  };

  const propose = createProposer({ ...options, refresh });
  const doChores = createChores(options, propose);

  /** Whether the one in force was made by somebody who has had time enough to hand it over. */
  const isLost = (group: string): boolean => {
    const since = missing.get(group) ?? clock.now();
    missing.set(group, since);
    return clock.now() >= since + LOST_MS;
  };

  const makeKeys = async (): Promise<void> => {
    for (const group of rekeys) {
      rekeys.delete(group);
      const made = propose(group, async (row, self) => {
        const { state } = row;
        if ((keysInForce(row) && !isLeaky(row)) || !roleOf(state, self.account)) {
          missing.delete(group);
          return undefined;
        }
        if (!state.rekeyDue && !isLeaky(row) && !isLost(group)) return undefined;
        const key = await createGroupKey('channel', group);
        return { operation: { kind: 'rekey', channel: key.id }, key };
      });
      await made.catch((error: unknown) => {
        rekeys.add(group);
        throw error;
      });
    }
  };

  const pump = createPump(async () => {
    if (!isOnline || cancelRetry || !model.self || model.self.registering || model.self.joining) return;
    try {
      if (isListDue) await lookAtAll();
      // Before the log is read on: what waits stands between its entries.
      if (isHeldDue) await takeHeld();
      const groups = [...due];
      for (const group of groups) {
        due.delete(group);
        chores.add(group);
        await refresh(group).catch((error: unknown) => {
          due.add(group);
          throw error;
        });
      }
      await makeKeys();
      while (isHeldDue) await takeHeld();
      for (const group of chores) {
        chores.delete(group);
        await doChores(group).catch((error: unknown) => {
          chores.add(group);
          throw error;
        });
      }
      backoff.reset();
    } catch (error) {
      onError(error);
      cancelRetry = clock.after(backoff.next(), () => {
        cancelRetry = undefined;
        pump.kick();
      });
    }
    onStored();
  });

  const stopListening = model.onChange((writes) => {
    for (const write of writes) {
      const row = write.table === 'group' && 'put' in write ? write.put : undefined;
      if (!row || !isLeaky(row)) continue;
      rekeys.add(row.group);
      pump.kick();
    }
  });

  return {
    caughtUp() {
      isOnline = true;
      isListDue = true;
      isHeldDue = true;
      cancelRetry?.();
      cancelRetry = undefined;
      pump.kick();
    },
    disconnected() {
      isOnline = false;
    },
    look(group) {
      if (group !== undefined) due.add(group);
      isHeldDue = true;
      pump.kick();
    },
    rekey(group) {
      rekeys.add(group);
      pump.kick();
    },
    refresh,
    propose,
    async stop() {
      isOnline = false;
      cancelRetry?.();
      cancelAsking?.();
      cancelLearning?.();
      stopListening();
      await Promise.all([pump.stop(), people.stop()]);
    },
  };
};
