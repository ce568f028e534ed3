import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeliveryToken, EnvelopeId } from '@sotto/contract/ids';
import type { ChangeChannelRequest, PutMember } from '@sotto/contract/rest/channels';
import { toBase64url, type Bytes } from '@sotto/crypto/bytes';
import type { GroupKey } from '@sotto/crypto/channel';
import { sealEntry } from '@sotto/crypto/channel-seal';
import type { Operation } from '@sotto/crypto/membership-operation';
import { rosterOf, type GroupState } from '@sotto/crypto/membership-state';
import { propose as sign } from '@sotto/crypto/membership';
import { signerOf } from '../account/signer.ts';
import type { Clock } from '../clock.ts';
import { EngineError } from '../errors.ts';
import type { Model } from '../model.ts';
import type { Transport, Write } from '../ports.ts';
import { randomId } from '../random-id.ts';
import type { GroupRow, SelfRow } from '../rows.ts';
import { keysInForce, putGroup, withChannel } from './group-rows.ts';
import { applyLog } from './log.ts';

/** How often others may be first with a change of theirs. */
const ATTEMPTS = 8;

/** How long is waited for a channel key that somebody made and that is still on its way, in ms. */
const KEY_MS = 15_000;

/**
 * What is wanted of a group as it stands: an operation, with the key that it names; undefined when nothing is left to do;
 * `later` when the channel key in force has to come first.
 */
export type Plan = (
  group: GroupRow & { state: GroupState },
  self: SelfRow,
) => Promise<Planned | 'later' | undefined>;

interface Planned {
  operation: Operation;
  key?: GroupKey;
}

/**
 * Changes a group: signs what `plan` wants, and again on what others were first with, until there is nothing to do.
 *
 * @throws EngineError no-conversation, group-stopped; CryptoError `membership-invalid` for what is not one's to do; RelayError
 */
export type Propose = (group: string, plan: Plan) => Promise<void>;

interface Options {
  model: Model;
  transport: Transport;
  clock: Clock;
  refresh: (group: string) => Promise<void>;
  onStored: () => void;
}

/** What an operation does to the relay's list of members. */
const rosterChange = (
  { contacts }: Model,
  before: GroupState,
  after: GroupState,
): Pick<ChangeChannelRequest, 'put' | 'remove'> => {
  const known = new Map(rosterOf(before).map(({ account, manages }) => [account, manages]));
  const now = rosterOf(after);
  const put = now.flatMap(({ account, manages }): PutMember[] => {
    if (known.get(account) === manages) return [];
    const token = known.has(account) ? undefined : contacts.get(account)?.token;
    const shown = token !== undefined && { token: token as DeliveryToken };
    return [{ account: account as AccountId, admin: manages, ...shown }];
  });
  const left = new Set(now.map(({ account }) => account));
  const remove = [...known.keys()].filter((account) => !left.has(account)) as AccountId[];
  return { put, remove };
};

export const createProposer = ({ model, transport, clock, refresh, onStored }: Options): Propose => {
  /** The channel key of the last try in each group, and on which epoch that was. */
  const tried = new Map<string, { epoch: number; key: GroupKey }>();

  /**
   * With the key of the last try where the log, as far as it is known, has not gone on since: nobody has it, and each that is
   * made displaces one that is kept.
   */
  const withTried = ({ group, epoch }: GroupState, planned: Planned): Planned => {
    const { operation } = planned;
    if (!planned.key || !('channel' in operation)) return planned;
    const last = tried.get(group);
    const key = last?.epoch === epoch ? last.key : planned.key;
    tried.set(group, { epoch, key });
    return { operation: { ...operation, channel: key.id }, key };
  };

  /** Signs the next step, and keeps the key that it names before anybody hears of it. */
  const next = (group: string, plan: Plan) =>
    model.change(async (draft) => {
      const row = await draft.get('group', group);
      const self = (await draft.get('self', 'self'))!;
      if (!row?.state) throw new EngineError('no-conversation');
      if (row.stopped) throw new EngineError('group-stopped');
      const { state } = row;
      const wanted = await plan({ ...row, state }, self);
      if (!wanted || wanted === 'later') return wanted;
      const planned = withTried(state, wanted);
      const { account, device } = self;
      const made = await sign({
        state,
        actor: { account, device },
        signing: self.signing.privateKey,
        createdAt: clock.now(),
        operation: planned.operation,
      });
      if (planned.key) putGroup(draft, withChannel(row, planned.key));
      return { row, self, ...made, roster: rosterChange(model, state, made.state) };
    });

  /** @throws EngineError not-ready when they do not */
  const keysCome = async (group: string): Promise<void> => {
    let stopWaiting = (): void => undefined;
    const later = new Promise<void>((resolve, reject) => {
      const stops = [
        clock.after(KEY_MS, () => reject(new EngineError('not-ready'))),
        model.onChange((writes) => {
          const isHere = ({ table, ...write }: Write) =>
            table === 'group' && 'put' in write && (write.put as GroupRow).group === group;
          if (writes.some(isHere)) resolve();
        }),
      ];
      stopWaiting = () => stops.forEach((stop) => stop());
    });
    const row = model.groups.get(group);
    await (row && keysInForce(row) ? undefined : later.finally(stopWaiting));
    stopWaiting();
  };

  /** What the relay has taken is so, whether or not it can be asked again. */
  const taken = (group: string, bytes: Bytes): Promise<void> =>
    model.change(async (draft) => {
      const row = await draft.get('group', group);
      const self = (await draft.get('self', 'self'))!;
      if (row) await applyLog({ draft, self, now: clock.now() }, row, [{ bytes }]);
    });

  return async (group, plan) => {
    for (let attempt = 1; ; attempt += 1) {
      const step = await next(group, plan);
      if (!step) return;
      if (step === 'later') {
        await keysCome(group);
        continue;
      }
      const { row, self, entry, state, roster } = step;
      const { epoch } = state;
      const sealed = toBase64url(await sealEntry(row.log, epoch, entry));
      const id = randomId() as EnvelopeId;
      try {
        const request = { id, epoch, entry: sealed, ...roster };
        await transport.changeChannel(signerOf(self), group as ChannelId, request);
        await taken(group, entry);
        onStored();
      } catch (error) {
        const isStale = error instanceof RelayError && error.code === 'stale-epoch';
        if (!isStale || attempt >= ATTEMPTS) throw error;
        await refresh(group);
      }
    }
  };
};
