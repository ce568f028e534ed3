import { LIMITS } from '@sotto/contract/limits';
import { AckRequest, SendRequest, type InboxResponse, type SendResponse } from '@sotto/contract/rest/inbox';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { Mailbox } from '../services/mailbox.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';
import { largeBody } from './large-body.ts';

const fromText = <Item extends { body: string }>(item: Item) => ({
  ...item,
  body: Buffer.from(item.body, 'base64url'),
});

/** The mailbox for who has no socket. To be mounted before the parser of small bodies. */
export const inboxRoutes = (mailbox: Mailbox, signIn: SignIn): Router => {
  const router = Router();
  router.post('/envelopes', async (request, response) => {
    const identity = await authenticate(signIn, request);
    const { envelopes, posts } = parse(SendRequest, await largeBody(request, response));
    const answer: SendResponse = {
      results: await mailbox.accept(identity, {
        envelopes: envelopes.map(fromText),
        posts: posts.map(fromText),
      }),
    };
    response.json(answer);
  });

  router.get('/inbox', async (request, response) => {
    const { device } = await authenticate(signIn, request);
    const { envelopes, more } = await mailbox.waiting(device, {
      except: [],
      limit: LIMITS.envelopesPerPage,
      bytes: LIMITS.pageBytes,
    });
    const answer: InboxResponse = {
      envelopes: envelopes.map((envelope) => ({
        ...envelope,
        body: Buffer.from(envelope.body).toString('base64url'),
      })),
      more,
    };
    response.json(answer);
  });

  router.post('/inbox/acks', async (request, response) => {
    const { device } = await authenticate(signIn, request);
    const { ids } = parse(AckRequest, await largeBody(request, response));
    await mailbox.acknowledge(device, ids);
    response.status(204).end();
  });
  return router;
};
