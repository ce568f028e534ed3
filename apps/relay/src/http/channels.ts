import { Epoch } from '@sotto/contract/envelope';
import { ChannelId } from '@sotto/contract/ids';
import {
  ChangeChannelRequest,
  type ChannelResponse,
  type ChannelsResponse,
  CreateChannelRequest,
  type EpochResponse,
} from '@sotto/contract/rest/channels';
import { Router } from 'express';
import * as z from 'zod/mini';
import { parse } from '../problem.ts';
import type { Channels } from '../services/channels.ts';
import type { RateLimits } from '../services/limits.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';
import { largeBody } from './large-body.ts';

/** As it stands in an address: digits, in one spelling. */
const From = z.pipe(
  z.pipe(z._default(z.string().check(z.regex(/^(0|[1-9]\d{0,9})$/)), '0'), z.transform(Number)),
  Epoch,
);

export interface ChannelParts {
  channels: Channels;
  signIn: SignIn;
  limits: Pick<RateLimits, 'take'>;
}

export const channelRoutes = ({ channels, signIn, limits }: ChannelParts): Router => {
  const router = Router();
  router.post('/channels', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    limits.take('channels', account);
    const wanted = parse(CreateChannelRequest, await largeBody(request, response));
    const answer: EpochResponse = await channels.create(account, wanted);
    response.status(201).json(answer);
  });
  router.post('/channels/:channel/entries', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    limits.take('channels', account);
    const channel = parse(ChannelId, request.params.channel);
    const wanted = parse(ChangeChannelRequest, await largeBody(request, response));
    const answer: EpochResponse = await channels.change(account, channel, wanted);
    response.json(answer);
  });
  router.get('/channels/:channel', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    const channel = parse(ChannelId, request.params.channel);
    const from = parse(From, request.query['from']);
    const answer: ChannelResponse = await channels.read(account, channel, from);
    response.json(answer);
  });
  router.get('/channels', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    const answer: ChannelsResponse = await channels.list(account);
    response.json(answer);
  });
  return router;
};
