import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, ConversationId, EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { toBase64url, utf8 } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { sealEntry } from '@sotto/crypto/channel-seal';
import { sealField } from '@sotto/crypto/group-field';
import { CryptoError } from '@sotto/crypto/errors';
import { createGroup } from '@sotto/crypto/membership';
import { POLICY, sortAccounts, type Operation } from '@sotto/crypto/membership-operation';
import { roleOf } from '@sotto/crypto/membership-state';
import { signerOf } from '../account/signer.ts';
import { cleanName, wellFormed } from '../clean-text.ts';
import type { Desk } from '../conversations/commands.ts';
import { putConversation } from '../conversations/draft.ts';
import { EngineError } from '../errors.ts';
import type { Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import { randomId } from '../random-id.ts';
import type { GroupRow, SelfRow } from '../rows.ts';
import type { Engine, GroupPolicy } from '../views.ts';
import { addition, freshKey, withSharing } from './addition.ts';
import { keysInForce, putGroup, showGroup } from './group-rows.ts';
import type { Groups } from './groups.ts';
import type { Plan } from './propose.ts';

type GroupCommands = Pick<
  Engine,
  | 'createGroup'
  | 'addMembers'
  | 'removeMembers'
  | 'leaveGroup'
  | 'setRole'
  | 'setTitle'
  | 'setDescription'
  | 'setPolicy'
>;

/** What a group is called. @throws EngineError bad-name */
const cleanTitle = (title: string): string => {
  const clean = cleanName(title);
  if (clean === '' || clean.length > LIMITS.nameCharacters) throw new EngineError('bad-name');
  return clean;
};

/** The policy as its bits. */
const bitsOf = (policy: number, changed: Partial<GroupPolicy>): number => {
  let bits = policy;
  for (const [name, bit] of Object.entries(POLICY)) {
    const value = changed[name as keyof GroupPolicy];
    if (value !== undefined) bits = value ? bits | bit : bits & ~bit;
  }
  return bits;
};

type State = Parameters<Plan>[0]['state'];
const isIn = (state: State, account: string): boolean => roleOf(state, account) !== undefined;

const removal =
  (accounts: readonly string[]): Plan =>
  async ({ state }) => {
    const removed = accounts.filter((account) => isIn(state, account));
    if (removed.length === 0) return undefined;
    const key = await createGroupKey('channel', state.group);
    const operation: Operation = {
      kind: 'remove',
      accounts: sortAccounts([...new Set(removed)]),
      channel: key.id,
    };
    return { operation, key };
  };

const naming =
  (field: 'title' | 'description', text: string): Plan =>
  async (row) => {
    const { state } = row;
    const before = row.texts?.[field]?.text ?? '';
    if (before === text && (text === '') === (state.fields[field] === undefined)) return undefined;
    if (text === '') return { operation: { kind: 'field', field, value: new Uint8Array(0) } };
    const keys = keysInForce(row);
    if (!keys) return state.rekeyDue ? freshKey(state.group) : 'later';
    const { value } = await sealField(keys.channel, field, utf8(text));
    return { operation: { kind: 'field', field, value } };
  };

const departure: Plan = async ({ state }, self) => {
  const role = roleOf(state, self.account);
  return role && { operation: { kind: 'leave' } };
};

/** Leaves a group; one that has stopped on this device alone, as nothing can be said in it. */
const leave = async (
  { clock, command }: Pick<Desk, 'clock' | 'command'>,
  groups: Groups,
  id: string,
): Promise<void> => {
  try {
    await groups.propose(id, departure);
  } catch (error) {
    if (!(error instanceof EngineError && error.code === 'group-stopped')) throw error;
    await command(async (draft, { account: me }) => {
      const row = await draft.get('group', id);
      if (row?.state) await showGroup(draft, { ...row, left: true }, { me, now: clock.now() });
    });
  }
};

/** Groups: who is in them, and what they are called. */
export const createGroupCommands = (
  { model, clock, command }: Desk,
  { groups, transport }: { groups: Groups; transport: Transport },
): GroupCommands => {
  const tokenOf = (account: string) => model.contacts.get(account)?.token;

  const change = async (id: string, plan: Plan): Promise<void> => {
    await command(async () => undefined);
    await groups.propose(id, plan);
    groups.look(id);
  };

  /** The keys of a new group and its first entry: stored before anybody hears of them. */
  const make = async (group: string): Promise<GroupRow> => {
    const self = model.self!;
    const [channel, log] = await Promise.all([
      createGroupKey('channel', group),
      createGroupKey('log', group),
    ]);
    const { account, device } = self;
    const first = await createGroup({
      actor: { account, device },
      signing: self.signing.privateKey,
      createdAt: clock.now(),
      group,
      channel: channel.id,
      log: log.id,
    });
    const making = { id: randomId(), entry: toBase64url(await sealEntry(log, 0, first.entry)) };
    return command(async (draft) => {
      const row = (await draft.get('group', group)) ?? { group, log, channels: [channel], making };
      putGroup(draft, row);
      return row;
    });
  };

  /** The group of one that is at the relay from now on. */
  const begin = async (group: string): Promise<void> => {
    const { making } = model.groups.get(group) ?? (await make(group));
    if (making) {
      const self = model.self!;
      await transport.createChannel(signerOf(self), {
        channel: group as ChannelId,
        id: making.id as EnvelopeId,
        entry: making.entry,
        members: [{ account: self.account as AccountId, admin: true }],
      });
    }
    await groups.refresh(group);
  };

  return {
    async createGroup({ id = randomId() as unknown as ConversationId, title, members }) {
      const called = cleanTitle(title);
      await command(async () => undefined);
      if (!model.groups.get(id)?.state) await begin(id);
      await groups.propose(id, naming('title', called));
      const others = members.filter((account) => account !== model.self?.account);
      await groups.propose(id, addition(others, tokenOf));
      groups.look(id);
      return id;
    },
    async addMembers(id, members, { history = 'none' } = {}) {
      await command(async (draft) => {
        const row = await draft.get('group', id);
        if (row) putGroup(draft, withSharing(row, members, history));
      });
      await change(id, addition(members, tokenOf));
    },
    removeMembers: (id, members) => change(id, removal(members)),
    async leaveGroup(id) {
      await command(async () => undefined);
      await leave({ clock, command }, groups, id);
      groups.look(id);
    },
    setRole: (id, account, role) =>
      change(id, async ({ state }) => {
        const before = roleOf(state, account);
        if (!before) throw new EngineError('no-member');
        return before === role ? undefined : { operation: { kind: 'role', account, role } };
      }),
    setTitle: async (id, title) => change(id, naming('title', cleanTitle(title))),
    async setDescription(id, description) {
      const text = wellFormed(description).trim();
      if (text.length > LIMITS.descriptionCharacters) throw new EngineError('too-long');
      await change(id, naming('description', text));
    },
    setPolicy: (id, changed) =>
      change(id, async ({ state }) => {
        const policy = bitsOf(state.policy, changed);
        return policy === state.policy ? undefined : { operation: { kind: 'policy', policy } };
      }),
  };
};

/** Agrees to be in a group that somebody else put this account into. @throws RelayError, StoreError */
export const joinGroup = async (
  { model, command }: Desk,
  transport: Transport,
  id: string,
): Promise<void> => {
  const self = model.self as SelfRow;
  await transport.joinChannel(signerOf(self), id as ChannelId);
  await command(async (draft) => {
    const row = await draft.get('conversation', id);
    if (!row?.request) return;
    const { request: _, ...joined } = row;
    putConversation(draft, joined);
  });
};

/** Leaves a group, if this account is in it still. */
export const leaveQuietly = async (desk: Desk, groups: Groups, id: string): Promise<void> => {
  try {
    await leave(desk, groups, id);
  } catch (error) {
    if (!(error instanceof RelayError && error.code === 'channel-unknown')) throw error;
  }
};

/** Out of a group: who alone owns it makes an admin the owner first, or who is there where there is none. */
const parting: Plan = async ({ state }, self) => {
  const role = roleOf(state, self.account);
  const others = state.members.filter(({ account }) => account !== self.account);
  const isLast = role === 'owner' && others.length > 0 && !others.some((one) => one.role === 'owner');
  if (!isLast) return role && { operation: { kind: 'leave' } };
  const heir = others.find((one) => one.role === 'admin') ?? others[0]!;
  return { operation: { kind: 'role', account: heir.account, role: 'owner' } };
};

/** Leaves every group, as far as that can be done. @throws RelayError unreachable, StoreError */
export const leaveAll = async (
  groups: Groups,
  { conversations }: Pick<Model, 'conversations'>,
): Promise<void> => {
  for (const { id, group } of conversations.values()) {
    if (!group?.role) continue;
    try {
      await groups.propose(id, parting);
    } catch (error) {
      // One that has stopped, or that the relay knows no more, keeps nobody.
      const isOf = error instanceof EngineError || error instanceof CryptoError;
      if (!isOf && !(error instanceof RelayError && error.code !== 'unreachable')) throw error;
    }
  }
};
