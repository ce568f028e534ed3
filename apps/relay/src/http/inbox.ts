import { LIMITS } from '@sotto/contract/limits';
import { AckRequest, InboxResponse, SendRequest, SendResponse } from '@sotto/contract/rest/inbox';
import { type Route, signedIn } from './route.ts';

const fromText = <Item extends { body: string }>(item: Item) => ({
  ...item,
  body: Buffer.from(item.body, 'base64url'),
});

/** The mailbox for who has no socket. */
export const INBOX: Route[] = [
  signedIn('post', '/envelopes', {
    summary: 'Sends, for who has no socket.',
    request: SendRequest,
    large: true,
    response: SendResponse,
    handle: async ({ mailbox }, { asker, body }) => ({
      results: await mailbox.accept(asker, {
        envelopes: body.envelopes.map(fromText),
        posts: body.posts.map(fromText),
      }),
    }),
  }),
  signedIn('get', '/inbox', {
    summary: 'The first envelopes that wait, oldest first.',
    response: InboxResponse,
    handle: async ({ mailbox, metrics }, { asker }) => {
      const page = { except: [], limit: LIMITS.envelopesPerPage, bytes: LIMITS.pageBytes };
      const { envelopes, more } = await mailbox.waiting(asker.device, page);
      metrics.delivered.inc(envelopes.length);
      const toText = (body: Uint8Array) => Buffer.from(body).toString('base64url');
      return { envelopes: envelopes.map((envelope) => ({ ...envelope, body: toText(envelope.body) })), more };
    },
  }),
  signedIn('post', '/inbox/acks', {
    summary: 'These are stored; the relay forgets them.',
    request: AckRequest,
    large: true,
    handle: ({ mailbox }, { asker, body }) => mailbox.acknowledge(asker.device, body.ids),
  }),
];
