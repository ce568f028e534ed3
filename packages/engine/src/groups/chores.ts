import type { JoinAnswer } from '@sotto/contract/content';
import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, LinkHash } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { encode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import { checkJoinRequest, sealPreview } from '@sotto/crypto/group-link';
import { sha256 } from '@sotto/crypto/keys';
import { MAX_MEMBERS } from '@sotto/crypto/membership-operation';
import { roleOf } from '@sotto/crypto/membership-state';
import type { Directory } from '../account/directory.ts';
import { signerOf } from '../account/signer.ts';
import { cleanName } from '../clean-text.ts';
import type { Clock } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import { EngineError } from '../errors.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { ContactRow, GroupRow, LinkSettings, RequestRow } from '../rows.ts';
import { addition, withSharing } from './addition.ts';
import { keysInForce, putGroup, showGroup } from './group-rows.ts';
import { tellOfGroup } from './hand-over.ts';
import { gatherHistory } from './history.ts';
import type { Propose } from './propose.ts';
import { answerRequests, isSameRequest, withRequests } from './requests.ts';
import { linkKeysOf, linkOf, manages } from './settings.ts';

interface Options {
  model: Model;
  directory: Directory;
  transport: Transport;
  clock: Clock;
}

/** What the relay says of an account, or of a link, once and for all. */
const isFinal = (error: unknown): error is CryptoError | RelayError =>
  error instanceof CryptoError || (error instanceof RelayError && !error.retry);

/** The log has gone on; the relay showed an old chain. */
const TRIED_AGAIN: readonly string[] = ['stale-epoch', 'chain-rollback'];

/** What another try of the same does not change, until the group goes on. */
export const isOver = (error: unknown): boolean =>
  error instanceof EngineError
    ? error.code !== 'not-ready'
    : isFinal(error) && !TRIED_AGAIN.includes(error.code);

/** How who cannot be let in is answered. */
const NOT_LET_IN: Partial<Record<RelayError['code'], JoinAnswer>> = {
  'too-many-members': 'full',
  'channel-full': 'full',
  'too-many-channels': 'refused',
  'account-unknown': 'refused',
};

/** Whether something is left to do in a group beside keeping its log. */
export const hasChores = ({ linkDue, requests, sharing }: GroupRow): boolean =>
  linkDue !== undefined || requests !== undefined || sharing?.some(({ due }) => due !== undefined) === true;

/** Whether the link lets this one in by itself as things stand: it is not answered, and they were not there before. */
const isOpenTo = (row: GroupRow, { id, account, at }: RequestRow): boolean => {
  const link = linkOf(row);
  const isOpen = row.requests?.some((one) => one.id === id) === true && !(account in (row.departed ?? {}));
  return isOpen && link !== undefined && !link.approval && at <= (link.until ?? Infinity);
};

/** What a group needs of this device beside its log: the link that the relay knows, requests, what newcomers are sent along. */
export const createChores = (
  { model, directory, transport, clock }: Options,
  propose: Propose,
): ((group: string) => Promise<void>) => {
  const change = (group: string, make: (row: GroupRow) => GroupRow): Promise<void> =>
    model.change(async (draft) => {
      const row = await draft.get('group', group);
      if (row) putGroup(draft, make(row));
    });

  const show = (draft: Draft, row: GroupRow): Promise<void> =>
    showGroup(draft, row, { me: model.self!.account, now: clock.now() });

  const publish = async (row: GroupRow): Promise<void> => {
    const { group, linkEpoch } = row;
    const link = linkOf(row);
    // There is a link, and what it is comes with the channel key.
    if (!link && row.state?.fields.settings) return;
    const keys = await linkKeysOf(row);
    if (linkEpoch !== undefined && model.self) {
      const body = { epoch: linkEpoch };
      const shown = keys && {
        hash: toBase64url(await sha256(keys.token)) as LinkHash,
        preview: toBase64url(await sealPreview(keys, previewOf(row, link!))),
      };
      try {
        const request = { ...body, ...(shown && { link: shown }) };
        await transport.putLink(signerOf(model.self), group as ChannelId, request);
      } catch (error) {
        // Another has said a later word, or it is not this device's to say.
        if (!isFinal(error)) throw error;
      }
    }
    await change(group, (now) => {
      const { linkDue: _, ...rest } = now;
      // Of what was changed meanwhile it is not told yet.
      return now.linkEpoch === linkEpoch && now.texts?.title?.text === row.texts?.title?.text ? rest : now;
    });
  };

  const check = async (row: GroupRow, request: RequestRow): Promise<void> => {
    const { id, account, device, createdAt, delivery, name, signature } = request;
    let contact: ContactRow | undefined;
    try {
      contact = await directory.look(account);
      const signing = contact.devices.find((one) => one.device === device)?.signing;
      const asked = { from: { account, device }, id, createdAt, delivery, name, signature };
      const keys = { group: row.group, id: fromBase64url(request.link) };
      if (!signing || !(await checkJoinRequest(keys, asked, signing))) contact = undefined;
    } catch (error) {
      if (!isFinal(error)) throw error;
    }
    await model.change(async (draft) => {
      const now = await draft.get('group', row.group);
      if (!now) return;
      const open = now.requests ?? [];
      const others = open.filter((one) => one.checked || !isSameRequest(one, request));
      if (!contact) {
        putGroup(draft, withRequests(now, others));
        return;
      }
      const known = (await draft.get('contact', account)) ?? contact;
      const called = cleanName(name).slice(0, LIMITS.nameCharacters);
      putContact(draft, {
        ...known,
        token: delivery,
        ...(known.name === undefined && called !== '' && { name: called }),
      });
      // Unless it was answered meanwhile, what they asked before is overtaken.
      const isOpen = others.length < open.length;
      const kept = isOpen ? others.filter((one) => !one.checked || one.account !== account) : open;
      const proved: RequestRow[] = isOpen ? [{ ...request, checked: true }] : [];
      await show(draft, withRequests(now, [...kept, ...proved]));
    });
  };

  const answer = (group: string, requests: readonly RequestRow[], how: JoinAnswer) =>
    model.change(async (draft) => {
      const row = await draft.get('group', group);
      const self = (await draft.get('self', 'self'))!;
      if (row?.state) await show(draft, answerRequests(draft, self, row, { requests, answer: how }));
    });

  /** Lets in who asked by a link that asks nobody; whoever was there before is for a person to decide. */
  const letIn = async (row: GroupRow, link: LinkSettings): Promise<void> => {
    const { group, departed = {} } = row;
    const open = (row.requests ?? []).filter(({ checked, account }) => checked && !(account in departed));
    const late = open.filter(({ at }) => at > (link.until ?? Infinity));
    if (late.length > 0) await answer(group, late, 'expired');
    // Once the channel key is here that is to be handed to them; it brings this device back.
    if (link.approval || (!keysInForce(row) && !row.state!.rekeyDue)) return;
    for (const request of open.filter((one) => !late.includes(one))) {
      if (row.state!.members.length >= MAX_MEMBERS) {
        await answer(group, [request], 'full');
        continue;
      }
      const { account } = request;
      const add = addition([account as AccountId], (one) => model.contacts.get(one)?.token);
      try {
        await change(group, (now) =>
          isOpenTo(now, request) ? withSharing(now, [account], linkOf(now)!.history) : now,
        );
        // Of each try anew: somebody may have answered meanwhile, or closed the link.
        await propose(group, async (now, self) => (isOpenTo(now, request) ? add(now, self) : undefined));
        await change(group, (now) =>
          now.state && roleOf(now.state, account) ? now : withSharing(now, [account], 'none'),
        );
      } catch (error) {
        if (!isFinal(error)) throw error;
        const how = error instanceof RelayError ? NOT_LET_IN[error.code] : undefined;
        // Otherwise it is not for this device to say.
        if (how) await answer(group, [request], how);
      }
    }
  };

  const share = async (row: GroupRow): Promise<void> => {
    for (const { account, choice, due } of row.sharing ?? []) {
      if (due === undefined) continue;
      const parts = await gatherHistory(model.store, row.group, { choice, before: due });
      await model.change(async (draft) => {
        const now = await draft.get('group', row.group);
        const isDue = now?.sharing?.some((one) => one.account === account && one.due === due);
        if (!now || !isDue) return;
        const isIn = now.state !== undefined && roleOf(now.state, account) !== undefined;
        for (const history of isIn ? parts : []) tellOfGroup(draft, row.group, { account }, { history });
        putGroup(draft, withSharing(now, [account], 'none'));
      });
    }
  };

  return async (group) => {
    const fresh = () => model.store.get('group', group);
    let row = await fresh();
    if (!row?.state || !model.self) return;
    for (const request of row.requests ?? []) if (!request.checked) await check(row, request);
    row = await fresh();
    if (!row?.state) return;
    if (row.stopped) return answer(group, row.requests ?? [], 'stopped');
    if (row.linkDue) await publish(row);
    const link = linkOf(row);
    if (link && row.requests && manages(row, model.self.account)) await letIn(row, link);
    const after = await fresh();
    if (after?.sharing) await share(after);
  };
};

/** What who follows the link is shown. */
const previewOf = ({ texts }: GroupRow, { approval, until }: LinkSettings): Uint8Array<ArrayBuffer> =>
  encode({ title: texts?.title?.text ?? '', approval, ...(until !== undefined && { until }) });
