import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { Content } from './content.ts';
import { IncomingEnvelope, LiveEnvelope, LivePost, OutgoingEnvelope, OutgoingPost } from './envelope.ts';
import { STATUS } from './errors.ts';
import { Problem } from './problem.ts';
import { AckEvent, Handshake, LiveEvent, PostEvent, RenewEvent, Reply, SendEvent } from './events/client.ts';
import { AcceptedEvent, DeliverEvent, IncomingLiveEvent, PrekeysLowEvent } from './events/relay.ts';
import { LIMITS } from './limits.ts';
import {
  AccountResponse,
  AppendRequest,
  AppendResponse,
  DeliveryRequest,
  EmailCodeRequest,
  EmailCodeResponse,
  RegisterRequest,
  RegisterResponse,
} from './rest/accounts.ts';
import {
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  CreateChannelRequest,
  EpochResponse,
  JoinRequest,
  LinkRequest,
  LinkResponse,
  PutLinkRequest,
} from './rest/channels.ts';
import { InboxResponse, SendRequest, SendResponse } from './rest/inbox.ts';
import { InviteCheckRequest, InviteCheckResponse, InviteResponse } from './rest/invites.ts';
import { BundlesRequest, BundlesResponse, PrekeysResponse, PublishRequest } from './rest/prekeys.ts';
import { RelayResponse } from './rest/relay.ts';
import { ChallengeRequest, ChallengeResponse, TokenRequest, TokenResponse } from './rest/session.ts';
import { WIRE_VERSION } from './version.ts';

const WIRE = {
  AccountResponse,
  AcceptedEvent,
  AckEvent,
  AppendRequest,
  AppendResponse,
  BundlesRequest,
  BundlesResponse,
  ChallengeRequest,
  ChallengeResponse,
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  Content,
  CreateChannelRequest,
  DeliverEvent,
  DeliveryRequest,
  EmailCodeRequest,
  EmailCodeResponse,
  EpochResponse,
  Handshake,
  InboxResponse,
  IncomingEnvelope,
  IncomingLiveEvent,
  InviteCheckRequest,
  InviteCheckResponse,
  InviteResponse,
  JoinRequest,
  LinkRequest,
  LinkResponse,
  LiveEnvelope,
  LiveEvent,
  LivePost,
  OutgoingEnvelope,
  OutgoingPost,
  PostEvent,
  PrekeysLowEvent,
  PrekeysResponse,
  Problem,
  PublishRequest,
  PutLinkRequest,
  RegisterRequest,
  RegisterResponse,
  RelayResponse,
  RenewEvent,
  Reply,
  SendEvent,
  SendRequest,
  SendResponse,
  TokenRequest,
  TokenResponse,
};

describe('the wire', () => {
  it('stays what its version says: a change needs a new WIRE_VERSION and so a new golden file', async () => {
    const schemas = Object.fromEntries(
      Object.entries(WIRE).map(([name, schema]) => [
        name,
        z.toJSONSchema(schema, { unrepresentable: 'any' }),
      ]),
    );
    const golden = { version: WIRE_VERSION, limits: LIMITS, errors: STATUS, schemas };
    await expect(`${JSON.stringify(golden, null, 2)}\n`).toMatchFileSnapshot(
      `../golden/wire-${WIRE_VERSION}.json`,
    );
  });
});
