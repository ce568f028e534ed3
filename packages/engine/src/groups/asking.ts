import type { Address } from '@sotto/crypto/address';
import { equal, toBase64url, type Bytes } from '@sotto/crypto/bytes';
import { namedIn } from '@sotto/crypto/channel-seal';
import { heldUntil, roleOf } from '@sotto/crypto/membership-state';
import type { Clock } from '../clock.ts';
import { requestRepair } from '../inbox/repair.ts';
import type { Model } from '../model.ts';
import type { GroupRow, HeldRow } from '../rows.ts';
import { heldOf } from './waiting.ts';

/** How long a key may be on its way before it is asked for, in ms. */
const PATIENCE_MS = 2_000;

/** Then others than its maker are asked for a channel key; and after as long again it is replaced by another, in ms. */
const LOST_MS = 60_000;

/** Others who are asked for a channel key at a time. */
const OTHERS = 3;

/** Until others are asked for one that is not in force any more, which nothing replaces, in ms. */
const AGAIN_MS = 3_600_000;

interface Options {
  model: Model;
  clock: Clock;
  /** A channel key that nobody hands over is to be replaced. */
  rekey: (group: string) => void;
  onStored: () => void;
  onError: (error: unknown) => void;
}

/** Asks for the keys of groups that did not come by themselves. */
export interface Asking {
  later(): void;
  /** Whether the channel key in force was made by somebody who has had time enough to hand it over. */
  isLost(row: GroupRow): boolean;
  stop(): void;
}

export const createAsking = ({ model, clock, rekey, onStored, onError }: Options): Asking => {
  /** By group and channel key: since when it has been missed here, and when others than its maker were asked for it, in ms. */
  const missing = new Map<string, { since: number; others?: number }>();
  const timers = new Map<number, () => void>();

  const missedOf = ({ group }: GroupRow, channel: Bytes) => {
    const name = `${group} ${toBase64url(channel)}`;
    const known = missing.get(name) ?? { since: clock.now() };
    missing.set(name, known);
    return known;
  };

  const isLost = (row: GroupRow): boolean => clock.now() >= missedOf(row, row.state!.channel).since + LOST_MS;

  /** The channel keys that are not here: the one in force, and those of before that something waits for. */
  const missedIn = (row: GroupRow, held: readonly HeldRow[]): Bytes[] => {
    const state = row.state!;
    const { account } = model.self!;
    if (!roleOf(state, account)) return [];
    const isHere = (id: Bytes) => row.channels.some((one) => equal(one.id, id));
    const waitedFor = held.flatMap(({ group, body }) =>
      group === row.group ? (namedIn(body)?.id ?? []) : [],
    );
    const earlier = (state.earlier ?? []).map(({ channel }) => channel);
    // What was in force before this account came is for nobody to hand over.
    const due = earlier.filter(
      (id) => heldUntil(state, id, account) !== undefined && waitedFor.some((one) => equal(one, id)),
    );
    return [state.channel, ...due.filter((id) => !equal(id, state.channel))].filter((id) => !isHere(id));
  };

  /** A group that this account has agreed to be in: before that nobody there hears of it. */
  const ownOf = (group: string): GroupRow | undefined => {
    const row = model.groups.get(group);
    const conversation = model.conversations.get(group);
    return row?.state && !row.stopped && conversation && !conversation.request ? row : undefined;
  };

  const devicesOf = (account: string): Address[] => {
    const keys = account === model.self?.account ? model.self : model.contacts.get(account);
    return (keys?.devices ?? []).map(({ device }) => ({ account, device }));
  };

  /** What a post says of its sender anybody in the group can have written: it has to be a device of a member. */
  const isMembers = ({ state }: GroupRow, { account, device }: Address): boolean =>
    roleOf(state!, account) !== undefined && devicesOf(account).some((one) => one.device === device);

  const someOthers = ({ state }: GroupRow): Address[] => {
    const others = state!.members.filter(({ account }) => account !== model.self?.account);
    const from = Math.floor(Math.random() * others.length);
    return [...others.slice(from), ...others.slice(0, from)]
      .slice(0, OTHERS)
      .flatMap(({ account }) => devicesOf(account));
  };

  /** In how many ms it is to be asked for again. */
  const askFor = (row: GroupRow, id: Bytes, add: (row: GroupRow, address: Address) => void): number => {
    const now = clock.now();
    const missed = missedOf(row, id);
    const isInForce = equal(id, row.state!.channel);
    if (row.keyedBy) add(row, row.keyedBy);
    if (now < missed.since + LOST_MS) return LOST_MS;
    if (missed.others !== undefined && isInForce) rekey(row.group);
    else if (now >= (missed.others ?? -Infinity) + AGAIN_MS) {
      for (const other of someOthers(row)) add(row, other);
      missed.others = now;
    }
    return isInForce ? LOST_MS : AGAIN_MS;
  };

  const ask = async (): Promise<void> => {
    const held = await heldOf(model.store);
    const asked = new Map<string, Address>();
    const add = (row: GroupRow, address: Address): void => {
      if (address.device !== model.self?.device && isMembers(row, address))
        asked.set(`${address.account} ${address.device}`, address);
    };
    for (const { group, from } of held) {
      const row = from && ownOf(group);
      if (row) add(row, from);
    }
    const waits: number[] = [];
    for (const group of new Set(held.flatMap((row: HeldRow) => (row.from ? [] : [row.group])))) {
      const row = ownOf(group);
      for (const id of row ? missedIn(row, held) : []) waits.push(askFor(row!, id, add));
    }
    await model.change(async (draft) => {
      const self = (await draft.get('self', 'self'))!;
      for (const device of asked.values()) {
        if (!self.blocked?.includes(device.account)) await requestRepair(draft, device, clock.now());
      }
    });
    onStored();
    for (const ms of waits) askAfter(ms);
  };

  const askAfter = (ms: number): void => {
    if (timers.has(ms)) return;
    const cancel = clock.after(ms, () => {
      timers.delete(ms);
      ask().catch(onError);
    });
    timers.set(ms, cancel);
  };

  return {
    later: () => askAfter(PATIENCE_MS),
    isLost,
    stop: () => timers.forEach((cancel) => cancel()),
  };
};
