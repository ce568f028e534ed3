import { RelayError } from '@sotto/contract/errors';
import type { ChannelId } from '@sotto/contract/ids';
import type { ChannelResponse } from '@sotto/contract/rest/channels';
import type { Address } from '@sotto/crypto/address';
import { equal, fromBase64url } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { openEntry } from '@sotto/crypto/channel-seal';
import { CryptoError } from '@sotto/crypto/errors';
import { linkPin } from '@sotto/crypto/group-link';
import { entryHash, readEntry } from '@sotto/crypto/membership-operation';
import { checkRoster, isInHistory, roleOf } from '@sotto/crypto/membership-state';
import type { Directory } from '../account/directory.ts';
import { signerOf } from '../account/signer.ts';
import { createBackoff, type Clock } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { GroupRow, GroupStop, HeldRow, JoinRow } from '../rows.ts';
import { tellArrived, type Arrived } from './arrived.ts';
import { createAsking } from './asking.ts';
import { createChores, hasChores, isOver } from './chores.ts';
import { keysInForce, putGroup, stopGroup } from './group-rows.ts';
import { applyLog, type LogEntry } from './log.ts';
import { partingLog } from './parting.ts';
import { createProposer, type Propose } from './propose.ts';
import { pinOf } from './settings.ts';
import { type ShownLog, takePost } from './taking.ts';
import { heldOf, tellWaiting } from './waiting.ts';

/** Of what waited so much is taken in by one transaction. */
const TAKEN_AT_ONCE = 256;

/** Members who are looked up at once. */
const LEARNED_AT_ONCE = 8;

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

const STOPS: readonly GroupStop[] = ['group-fork', 'roster-mismatch', 'membership-invalid'];

/** Whether the log is that of the group which the link named. */
const isMeant = async ({ pin }: JoinRow, row: GroupRow, [first]: readonly LogEntry[]): Promise<boolean> => {
  if (row.state) return pinOf(row) === pin;
  return first !== undefined && linkPin(await entryHash(readEntry(first.bytes).content)) === pin;
};

/** Whether the channel key in force is to be replaced from here. */
const isOverdue = ({ overdue, state }: GroupRow): boolean =>
  overdue !== undefined && state !== undefined && equal(overdue, state.channel);

/** Why a group has to stop that cannot be read on; undefined for what has nothing to do with its log. */
const stopOf = (error: unknown): GroupStop | undefined => {
  const code = error instanceof CryptoError ? error.code : undefined;
  return STOPS.find((one) => one === code);
};

/** They are gone, or what the relay says of them does not hold; an old answer is the relay's to put right. */
const isTheirs = (error: unknown): boolean =>
  error instanceof CryptoError
    ? error.code !== 'chain-rollback'
    : error instanceof RelayError && error.code === 'account-unknown';

/** Keeps the logs of groups up to date with the relay, and takes in what waited for that. */
export const createGroups = (options: Options): Groups => {
  const { model, directory, transport, clock, onStored, onError } = options;
  const backoff = createBackoff(500, 30_000);
  const learning = createBackoff(500, 30_000);
  const failing = createBackoff(500, 30_000);
  const unknown = new Set<string>();
  const due = new Set<string>();
  const rekeys = new Set<string>();
  const chores = new Set<string>();
  /** Groups that something failed in, until it is tried again. */
  const failed = new Set<string>();
  let isOnline = false;
  let isListDue = true;
  let isHeldDue = true;
  let cancelRetry: (() => void) | undefined;
  let cancelLearning: (() => void) | undefined;
  let cancelFailed: (() => void) | undefined;

  const signer = () => {
    if (!model.self) throw new RelayError('unauthenticated');
    return signerOf(model.self);
  };

  const isKnown = ({ account, device }: Address): boolean => {
    const known = account === model.self?.account ? model.self : model.contacts.get(account);
    const isActive = known?.devices.some((entry) => entry.device === device) === true;
    return isActive || known?.revoked?.includes(device) === true;
  };

  /** Fetches the keys of those whose entries are to be checked; whose cannot be had. */
  const learnActors = async (actors: readonly Address[]): Promise<Set<string>> => {
    const lost = new Set<string>();
    const missed = new Set(actors.flatMap((actor) => (isKnown(actor) ? [] : actor.account)));
    for (const account of missed) {
      try {
        if (account === model.self?.account) await directory.refreshSelf();
        else await learnMember(account);
      } catch (error) {
        if (!isTheirs(error)) throw error;
        lost.add(account);
      }
    }
    return lost;
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
        // The group goes on without them.
        if (error === undefined || isTheirs(error)) unknown.delete(some[at]!);
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

  /**
   * The entries that are new. @throws CryptoError membership-invalid for what is no entry of the log or under another key, and
   * where one is left out; group-fork where the one that is known is another
   */
  const openNew = async ({ log, state }: GroupRow, { entries }: ChannelResponse) => {
    const first = state ? state.epoch + 1 : 0;
    let next = first;
    for (const { epoch } of entries) {
      if (epoch > next) throw new CryptoError('membership-invalid', 'left out');
      if (epoch === next) next += 1;
    }
    const opening = entries.map(async ({ epoch, entry }) => {
      const { epoch: named, entry: bytes } = await openEntry(log, fromBase64url(entry));
      const { entry: read, content } = readEntry(bytes);
      if (named !== epoch || read.epoch !== epoch) throw new CryptoError('membership-invalid', 'epoch');
      const isOther = epoch < first && !isInHistory(state!, epoch, await entryHash(content));
      if (isOther) throw new CryptoError('group-fork');
      return { epoch, bytes, actor: read.actor };
    });
    try {
      return (await Promise.all(opening)).filter(({ epoch }) => epoch >= first);
    } catch (error) {
      if (!(error instanceof CryptoError) || error.code === 'group-fork') throw error;
      throw new CryptoError('membership-invalid', error.code);
    }
  };

  const takeLog = async (
    draft: Draft,
    group: string,
    response: ChannelResponse,
    { entries, lost }: { entries: readonly LogEntry[]; lost: ReadonlySet<string> },
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
    const next = await applyLog({ draft, self, now, lost }, first, entries, { request: !response.joined });
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

  /** The relay says that this account is not in it: what it handed out before tells whether that is so. */
  const part = async (row: GroupRow): Promise<void> => {
    const { group } = row;
    const now = clock.now();
    const log = await partingLog({ model, now, learn: learnActors }, row, await heldOf(model.store, group));
    if (log) await takeHeld({ group, log });
  };

  const refresh = async (group: string): Promise<void> => {
    const row = model.groups.get(group);
    if (!row || row.stopped) return;
    try {
      const before = new Set((await heldOf(model.store, group)).map(({ envelope }) => envelope));
      // With the last one known: another in its place is another history.
      const response = await fetchLog(group, row.state?.epoch ?? 0);
      const entries = await openNew(row, response);
      const lost = await learnActors(entries.map(({ actor }) => actor));
      const join = model.self?.joins?.find((one) => one.group === group);
      // On the relay's list it counts for every device of this account.
      if (join && !response.joined && (await isMeant(join, row, entries))) {
        await transport.joinChannel(signer(), group as ChannelId);
        response.joined = true;
      }
      // What waits stands between the entries.
      await takeHeld({ group, log: { epoch: response.epoch, entries, before, lost } });
      await model.change((draft) => takeLog(draft, group, response, { entries, lost }));
      learnMembers(response.members);
    } catch (error) {
      if (error instanceof RelayError && error.code === 'channel-unknown') {
        if (row.state) await part(row);
        else if (!row.making) await stop(group, 'membership-invalid');
        return;
      }
      const why = stopOf(error);
      if (!why) throw error;
      await stop(group, why);
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
      if (row && isOverdue(row)) rekeys.add(channel);
    }
    for (const { group, from } of await heldOf(model.store)) if (!from) due.add(group);
    isListDue = false;
  };

  /** Tries what waits anew, of one group by the log that the relay shows; whether something was taken in. */
  const takeSome = (held: readonly HeldRow[], log?: ShownLog): Promise<boolean> =>
    model.change(async (draft) => {
      const self = (await draft.get('self', 'self'))!;
      const arrived: Arrived[] = [];
      let done = 0;
      for (const row of held) {
        const taken = await takePost({ draft, self, now: clock.now() }, row, log);
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

  const takeHeld = async ({ group, log }: { group?: string; log?: ShownLog } = {}): Promise<void> => {
    if (!log) isHeldDue = false;
    const held = await heldOf(model.store, group);
    if (held.length === 0) return;
    for (let at = 0; at < held.length; at += TAKEN_AT_ONCE) {
      if (await takeSome(held.slice(at, at + TAKEN_AT_ONCE), log)) isHeldDue = true;
    }
    asking.later();
  };

  const asking = createAsking({
    ...options,
    rekey: (group) => {
      rekeys.add(group);
      pump.kick();
    },
  });

  const propose = createProposer({ ...options, refresh });
  const doChores = createChores(options, propose);

  const makeKey = async (group: string): Promise<void> => {
    const made = propose(group, async (row, self) => {
      const { state } = row;
      if ((keysInForce(row) && !isOverdue(row)) || !roleOf(state, self.account)) return undefined;
      if (!state.rekeyDue && !isOverdue(row) && !asking.isLost(row)) return undefined;
      const key = await createGroupKey('channel', group);
      return { operation: { kind: 'rekey', channel: key.id }, key };
    });
    await made.catch((error: unknown) => {
      // What was kept for the try has asked for another.
      if (isOver(error)) rekeys.delete(group);
      throw error;
    });
  };

  /** What fails of one group is tried again later, unless that is of no use, and holds up no other. */
  const forEach = async (groups: Set<string>, work: (group: string) => Promise<void>): Promise<void> => {
    const now = [...groups];
    for (const group of now) {
      if (!isOnline) return;
      if (failed.has(group)) continue;
      groups.delete(group);
      try {
        await work(group);
      } catch (error) {
        onError(error);
        if (isOver(error)) continue;
        groups.add(group);
        failed.add(group);
        cancelFailed ??= clock.after(failing.next(), () => retryFailed());
      }
    }
  };

  const retryFailed = (): void => {
    cancelFailed?.();
    cancelFailed = undefined;
    failed.clear();
    pump.kick();
  };

  const pump = createPump(async () => {
    if (!isOnline || cancelRetry || !model.self || model.self.registering || model.self.joining) return;
    try {
      if (isListDue) await lookAtAll();
      // Before the log is read on: what waits stands between its entries.
      if (isHeldDue) await takeHeld();
      await forEach(due, (group) => {
        chores.add(group);
        return refresh(group);
      });
      await forEach(rekeys, makeKey);
      while (isHeldDue) await takeHeld();
      await tellWaiting(model);
      await forEach(chores, doChores);
      backoff.reset();
      if (failed.size === 0) failing.reset();
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
      if (!row || !isOverdue(row)) continue;
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
      retryFailed();
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
      asking.stop();
      cancelLearning?.();
      cancelFailed?.();
      stopListening();
      await Promise.all([pump.stop(), people.stop()]);
    },
  };
};
