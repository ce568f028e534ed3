import {
  AccountResponse,
  AppendResponse,
  EmailCodeResponse,
  RegisterResponse,
} from '@sotto/contract/rest/accounts';
import {
  ChannelResponse,
  ChannelsResponse,
  EpochResponse,
  LinkResponse,
} from '@sotto/contract/rest/channels';
import { InviteCheckResponse, InviteResponse } from '@sotto/contract/rest/invites';
import { BundlesResponse, PrekeysResponse } from '@sotto/contract/rest/prekeys';
import { RelayResponse } from '@sotto/contract/rest/relay';
import type { Signer, Transport } from '@sotto/engine/ports';
import * as z from 'zod/mini';
import { openConnection } from './connection.ts';
import { createHttp } from './http.ts';
import { createSession, type Session } from './session.ts';

const Nothing = z.undefined();

/** The relay at `origin` (scheme, host and port) over fetch and one WebSocket. Runs in pages, workers and Node. */
export const createTransport = ({ origin }: { origin: string }): Transport => {
  const http = createHttp(origin);
  let known: { device: string; session: Session } | undefined;

  const sessionOf = (signer: Signer): Session => {
    if (known?.device !== signer.device) {
      known = { device: signer.device, session: createSession(http, signer, origin) };
    }
    return known.session;
  };

  return {
    relay: () => http({ method: 'GET', path: '/v1/relay', answer: RelayResponse }),
    mailCode: (address) =>
      http({
        method: 'POST',
        path: '/v1/verifications/email',
        body: { address },
        answer: EmailCodeResponse,
      }),
    checkInvite: (invite) =>
      http({ method: 'POST', path: '/v1/invites/check', body: { invite }, answer: InviteCheckResponse }),
    register: (body) => http({ method: 'POST', path: '/v1/accounts', body, answer: RegisterResponse }),
    createInvite: (signer, invite) =>
      sessionOf(signer).with((token) =>
        http({ method: 'PUT', path: `/v1/invites/${invite}`, token, answer: InviteResponse }),
      ),
    account: (signer, account) =>
      sessionOf(signer).with((token) =>
        http({ method: 'GET', path: `/v1/accounts/${account}`, token, answer: AccountResponse }),
      ),
    handle: (signer, handle) =>
      sessionOf(signer).with((token) =>
        http({ method: 'GET', path: `/v1/handles/${handle}`, token, answer: AccountResponse }),
      ),
    publishPrekeys: (signer, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'PUT', path: '/v1/prekeys', token, body, answer: PrekeysResponse }),
      ),
    bundles: (signer, account, devices) =>
      sessionOf(signer).with((token) =>
        http({
          method: 'POST',
          path: `/v1/accounts/${account}/bundles`,
          token,
          body: { devices },
          answer: BundlesResponse,
        }),
      ),
    append: (signer, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'POST', path: '/v1/account/events', token, body, answer: AppendResponse }),
      ),
    removeDevice: (signer, device) =>
      sessionOf(signer).with((token) =>
        http({ method: 'DELETE', path: `/v1/devices/${device}`, token, answer: Nothing }),
      ),
    deleteAccount: (signer) =>
      sessionOf(signer).with((token) =>
        http({ method: 'DELETE', path: '/v1/account', token, answer: Nothing }),
      ),
    setDelivery: (signer, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'PUT', path: '/v1/account/delivery', token, body, answer: Nothing }),
      ),
    createChannel: (signer, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'POST', path: '/v1/channels', token, body, answer: EpochResponse }),
      ),
    changeChannel: (signer, channel, body) =>
      sessionOf(signer).with((token) =>
        http({
          method: 'POST',
          path: `/v1/channels/${channel}/entries`,
          token,
          body,
          answer: EpochResponse,
        }),
      ),
    channel: (signer, channel, from) =>
      sessionOf(signer).with((token) =>
        http({ method: 'GET', path: `/v1/channels/${channel}?from=${from}`, token, answer: ChannelResponse }),
      ),
    channels: (signer) =>
      sessionOf(signer).with((token) =>
        http({ method: 'GET', path: '/v1/channels', token, answer: ChannelsResponse }),
      ),
    joinChannel: (signer, channel) =>
      sessionOf(signer).with((token) =>
        http({ method: 'POST', path: `/v1/channels/${channel}/join`, token, answer: Nothing }),
      ),
    putLink: (signer, channel, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'PUT', path: `/v1/channels/${channel}/link`, token, body, answer: Nothing }),
      ),
    lookAtLink: (signer, channel, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'POST', path: `/v1/channels/${channel}/link`, token, body, answer: LinkResponse }),
      ),
    askToJoin: (signer, channel, body) =>
      sessionOf(signer).with((token) =>
        http({ method: 'POST', path: `/v1/channels/${channel}/link/requests`, token, body, answer: Nothing }),
      ),
    connect: (signer, listener) => openConnection(origin, sessionOf(signer), listener),
  };
};
