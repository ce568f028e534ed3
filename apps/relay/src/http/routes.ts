import { AckEvent } from '@sotto/contract/events/client';
import type { ErrorCode } from '@sotto/contract/errors';
import { AccountId, ChannelId, DeviceId, Handle, InviteId } from '@sotto/contract/ids';
import {
  AccountResponse,
  AppendRequest,
  AppendResponse,
  DeliveryRequest,
  EmailCodeRequest,
  EmailCodeResponse,
  RegisterRequest,
  RegisterResponse,
} from '@sotto/contract/rest/accounts';
import {
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  CreateChannelRequest,
  EpochResponse,
} from '@sotto/contract/rest/channels';
import { InboxResponse, SendRequest, SendResponse } from '@sotto/contract/rest/inbox';
import { InviteCheckRequest, InviteCheckResponse, InviteResponse } from '@sotto/contract/rest/invites';
import {
  BundlesRequest,
  BundlesResponse,
  PrekeysResponse,
  PublishRequest,
} from '@sotto/contract/rest/prekeys';
import { RelayResponse } from '@sotto/contract/rest/relay';
import {
  ChallengeRequest,
  ChallengeResponse,
  TokenRequest,
  TokenResponse,
} from '@sotto/contract/rest/session';
import type * as z from 'zod/mini';

type Schema = z.core.$ZodType;

/** A route as it is documented. `:name` in a path is of the schema that `PARAMETERS` has for it. */
export interface Route {
  summary: string;
  /** Asks for an access token. */
  signedIn?: true;
  /** Numbers in the query. */
  query?: string[];
  request?: Schema;
  /** Without one the answer is 204. */
  response?: Schema;
  status?: 201;
  /** Beside those that every route has. */
  errors: ErrorCode[];
}

export const PARAMETERS: Record<string, Schema> = {
  account: AccountId,
  device: DeviceId,
  handle: Handle,
  invite: InviteId,
  channel: ChannelId,
};

/** Everything under `/v1`. */
export const ROUTES: Record<string, Route> = {
  'GET /relay': {
    summary: 'Who is there, and what it demands of who registers.',
    response: RelayResponse,
    errors: [],
  },
  'POST /verifications/email': {
    summary: 'Mails a code. Answered alike whatever becomes of the mail.',
    request: EmailCodeRequest,
    response: EmailCodeResponse,
    errors: ['not-found'],
  },
  'POST /accounts': {
    summary: 'Registers. Repeating it with the same chain is answered as the first time.',
    request: RegisterRequest,
    response: RegisterResponse,
    status: 201,
    errors: [
      'chain-invalid',
      'sealing-key-invalid',
      'prekey-invalid',
      'handle-taken',
      'invite-unknown',
      'invite-expired',
      'invite-used',
      'verification-required',
      'verification-failed',
    ],
  },
  'GET /accounts/:account': {
    summary: 'What is needed to write to somebody.',
    signedIn: true,
    response: AccountResponse,
    errors: ['account-unknown'],
  },
  'GET /handles/:handle': {
    summary: 'The same by handle.',
    signedIn: true,
    response: AccountResponse,
    errors: ['account-unknown'],
  },
  'POST /accounts/:account/bundles': {
    summary: 'Prekeys to start sessions with devices. One-time prekeys are given out once.',
    signedIn: true,
    request: BundlesRequest,
    response: BundlesResponse,
    errors: [],
  },
  'POST /account/events': {
    summary: "Adds to one's own chain.",
    signedIn: true,
    request: AppendRequest,
    response: AppendResponse,
    errors: ['chain-invalid', 'sealing-key-invalid', 'prekey-invalid', 'stale-head', 'too-many-devices'],
  },
  'POST /accounts/:account/events': {
    summary: 'Adds to a chain for who has lost all devices: signed by the recovery key.',
    request: AppendRequest,
    response: AppendResponse,
    errors: ['unauthenticated', 'chain-invalid', 'sealing-key-invalid', 'prekey-invalid'],
  },
  'PUT /account/delivery': {
    summary: 'Which delivery token lets into the inbox from now on.',
    signedIn: true,
    request: DeliveryRequest,
    errors: [],
  },
  'DELETE /account': {
    summary: 'Deletes the account and everything of it.',
    signedIn: true,
    errors: ['account-unknown'],
  },
  'PUT /prekeys': {
    summary: 'Publishes prekeys of the device that asks.',
    signedIn: true,
    request: PublishRequest,
    response: PrekeysResponse,
    errors: ['prekey-invalid', 'sealing-key-invalid', 'too-many-prekeys'],
  },
  'DELETE /devices/:device': {
    summary: "Removes a device of one's own account.",
    signedIn: true,
    errors: ['device-unknown', 'forbidden'],
  },
  'POST /session/challenges': {
    summary: 'A challenge for a device, also for one that does not exist.',
    request: ChallengeRequest,
    response: ChallengeResponse,
    errors: [],
  },
  'POST /session/tokens': {
    summary: 'An access token for a signed challenge.',
    request: TokenRequest,
    response: TokenResponse,
    errors: ['challenge-expired', 'signature-invalid', 'device-unknown', 'device-removed'],
  },
  'PUT /invites/:invite': {
    summary: 'Makes an invite of the secret with this hash.',
    signedIn: true,
    response: InviteResponse,
    errors: ['invite-exists', 'forbidden'],
  },
  'POST /invites/check': {
    summary: 'Whether an invite is worth filling a form for.',
    request: InviteCheckRequest,
    response: InviteCheckResponse,
    errors: [],
  },
  'POST /channels': {
    summary: 'Makes a channel at epoch 0. Repeating it is answered as the first time.',
    signedIn: true,
    request: CreateChannelRequest,
    response: EpochResponse,
    status: 201,
    errors: ['channel-exists', 'account-unknown', 'too-many-members', 'too-many-channels'],
  },
  'GET /channels': {
    summary: 'The channels of the account that asks.',
    signedIn: true,
    response: ChannelsResponse,
    errors: [],
  },
  'GET /channels/:channel': {
    summary: 'The list of members, and the log from an epoch on.',
    signedIn: true,
    query: ['from'],
    response: ChannelResponse,
    errors: ['channel-unknown'],
  },
  'POST /channels/:channel/entries': {
    summary: 'Adds an entry to the log and does what it says to the list of members, at the next epoch.',
    signedIn: true,
    request: ChangeChannelRequest,
    response: EpochResponse,
    errors: [
      'channel-unknown',
      'forbidden',
      'stale-epoch',
      'account-unknown',
      'too-many-members',
      'too-many-channels',
    ],
  },
  'POST /envelopes': {
    summary: 'Sends, for who has no socket.',
    signedIn: true,
    request: SendRequest,
    response: SendResponse,
    errors: [],
  },
  'GET /inbox': {
    summary: 'The first envelopes that wait, oldest first.',
    signedIn: true,
    response: InboxResponse,
    errors: [],
  },
  'POST /inbox/acks': {
    summary: 'These are stored; the relay forgets them.',
    signedIn: true,
    request: AckEvent,
    errors: [],
  },
};
