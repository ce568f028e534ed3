import { LinkPreview } from '@sotto/contract/content';
import { RelayError } from '@sotto/contract/errors';
import type { ChannelId, EnvelopeId, LinkToken } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { GroupLink } from '@sotto/contract/link';
import { fromBase64url, toBase64url, utf8 } from '@sotto/crypto/bytes';
import { decode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import { sealField } from '@sotto/crypto/group-field';
import {
  createLinkSecret,
  openLink,
  openPreview,
  sealJoinRequest,
  type GroupLinkKeys,
} from '@sotto/crypto/group-link';
import { signerOf } from '../account/signer.ts';
import type { Desk } from '../conversations/commands.ts';
import { EngineError } from '../errors.ts';
import type { Draft } from '../model.ts';
import type { Transport } from '../ports.ts';
import { randomId } from '../random-id.ts';
import type { JoinRow, SelfRow } from '../rows.ts';
import type { Engine, LinkSnapshot } from '../views.ts';
import { addition, freshKey, withSharing } from './addition.ts';
import { keysInForce, showGroup } from './group-rows.ts';
import type { Groups } from './groups.ts';
import type { Plan } from './propose.ts';
import { answerRequests } from './requests.ts';
import { linkOf, manages, pinOf, settingsText } from './settings.ts';

type LinkCommands = Pick<
  Engine,
  'setGroupLink' | 'answerRequest' | 'lookAtGroupLink' | 'joinGroup' | 'forgetJoin'
>;

/** Groups asked at once. */
const MOST_JOINS = 50;

const setting = (wish: Parameters<Engine['setGroupLink']>[1], secret: string): Plan => {
  return async (row) => {
    const { state } = row;
    const before = linkOf(row);
    const { fresh = false, ...options } = wish ?? {};
    const kept = before && (!fresh || before.secret === secret) ? before.secret : secret;
    const text = settingsText(wish && ({ ...options, secret: kept } as ReturnType<typeof linkOf>));
    const isKnown = (text === '') === (state.fields.settings === undefined);
    if (isKnown && text === settingsText(before)) return undefined;
    if (text === '') return { operation: { kind: 'field', field: 'settings', value: new Uint8Array(0) } };
    const keys = keysInForce(row);
    if (!keys) return state.rekeyDue ? freshKey(state.group) : 'later';
    const { value } = await sealField(keys.channel, 'settings', utf8(text));
    return { operation: { kind: 'field', field: 'settings', value } };
  };
};

/** Links to groups, and who asks by them to be let in. */
export const createLinkCommands = (
  { model, clock, command }: Desk,
  { groups, transport }: { groups: Groups; transport: Transport },
): LinkCommands => {
  const signer = () => {
    if (!model.self) throw new EngineError('not-ready');
    return signerOf(model.self);
  };

  const keysOf = async ({ channel, secret }: GroupLink): Promise<GroupLinkKeys> => {
    try {
      return await openLink(channel, secret);
    } catch (error) {
      throw error instanceof CryptoError ? new EngineError('bad-link') : error;
    }
  };

  /** What is known of the group that one is in already. */
  const known = async ({ channel, pin }: GroupLink): Promise<LinkSnapshot | undefined> => {
    const brief = model.conversations.get(channel)?.group;
    const row = brief?.role && (await model.store.get('group', channel));
    if (!row || !row.state || pinOf(row) !== pin) return undefined;
    const { title, members } = brief;
    return { title, members, approval: linkOf(row)?.approval ?? false, member: true, full: false };
  };

  const look = async (link: GroupLink, keys: GroupLinkKeys): Promise<LinkSnapshot> => {
    const token = toBase64url(keys.token) as LinkToken;
    const { preview, members, member } = await transport.lookAtLink(signer(), link.channel, { token });
    try {
      const { data } = LinkPreview.safeParse(decode(await openPreview(keys, fromBase64url(preview))));
      if (!data) throw new EngineError('bad-link');
      if (clock.now() > (data.until ?? Infinity)) throw new EngineError('link-expired');
      const full = members >= LIMITS.membersPerChannel;
      return { title: data.title, members, approval: data.approval, member, full };
    } catch (error) {
      throw error instanceof CryptoError ? new EngineError('bad-link') : error;
    }
  };

  const putJoins = (draft: Draft, self: SelfRow, joins: readonly JoinRow[]): void => {
    const { joins: _, ...rest } = self;
    draft.put('self', { ...rest, ...(joins.length > 0 && { joins: joins.slice(-MOST_JOINS) }) }, 'self');
  };

  const others = ({ joins = [] }: SelfRow, group: string): JoinRow[] =>
    joins.filter((join) => join.group !== group);

  /** What is asked, stored before anybody hears of it: the same again while no answer came. */
  const begin = ({ channel: group, secret, pin }: GroupLink, { title }: LinkSnapshot): Promise<JoinRow> =>
    command(async (draft, self) => {
      const before = self.joins?.find((join) => join.group === group);
      const isOpen = before && !before.answer && before.secret === secret && before.pin === pin;
      const fresh = { group, secret, pin, id: randomId(), envelope: randomId(), title, at: clock.now() };
      const known: JoinRow = isOpen ? before : fresh;
      const { hidden: _, ...join } = known;
      putJoins(draft, self, [...others(self, group), join]);
      return join;
    });

  const ask = async (join: JoinRow, keys: GroupLinkKeys): Promise<void> => {
    const self = model.self!;
    const { account, device, delivery, name } = self;
    const request = { from: { account, device }, id: join.id, createdAt: join.at, delivery, name };
    const body = await sealJoinRequest(keys, request, self.signing.privateKey);
    await transport.askToJoin(signer(), join.group as ChannelId, {
      token: toBase64url(keys.token) as LinkToken,
      id: join.envelope as EnvelopeId,
      body: toBase64url(body),
    });
  };

  const forget = (group: string): Promise<void> =>
    command(async (draft, self) => {
      putJoins(draft, self, others(self, group));
    });

  /** What nobody has answered is kept, and what another group has answered: it says which group is meant. */
  const hide = (group: string): Promise<void> =>
    command(async (draft, self) => {
      const join = self.joins?.find((one) => one.group === group);
      const left = others(self, group);
      const isKept = join && (!join.answer || join.answer === 'other-group');
      putJoins(draft, self, isKept ? [...left, { ...join, hidden: true }] : left);
    });

  return {
    async setGroupLink(id, wish) {
      await command(async () => undefined);
      await groups.propose(id, setting(wish, createLinkSecret()));
      groups.look(id);
    },

    async answerRequest(id, request, { accept, history = 'none' }) {
      const account = await command(async (draft, self) => {
        const row = await draft.get('group', id);
        const found = row?.requests?.find((one) => one.id === request);
        if (!row?.state || !found) return undefined;
        if (!manages(row, self.account)) throw new EngineError('not-allowed');
        const settled = accept
          ? withSharing(row, [found.account], history)
          : answerRequests(draft, self, row, { requests: [found], answer: 'refused' });
        await showGroup(draft, settled, { me: self.account, now: clock.now() });
        return found.account;
      });
      if (!accept || account === undefined) return;
      await groups.propose(
        id,
        addition([account], (one) => model.contacts.get(one)?.token),
      );
      groups.look(id);
    },

    async lookAtGroupLink(link) {
      const keys = await keysOf(link);
      return (await known(link)) ?? look(link, keys);
    },

    async joinGroup(link) {
      const keys = await keysOf(link);
      if (await known(link)) throw new RelayError('already-member');
      const shown = await look(link, keys);
      if (shown.member) throw new RelayError('already-member');
      if (shown.full) throw new RelayError('too-many-members');
      const join = await begin(link, shown);
      try {
        await ask(join, keys);
      } catch (error) {
        // Without an answer it may be there: it is asked with the same words again.
        if (error instanceof RelayError && !error.retry) await forget(link.channel);
        throw error;
      }
    },

    forgetJoin: hide,
  };
};
