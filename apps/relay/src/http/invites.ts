import { RelayError } from '@sotto/contract/errors';
import { InviteCheckRequest, InviteCheckResponse, InviteResponse } from '@sotto/contract/rest/invites';
import { open, type Route, signedIn } from './route.ts';

export const INVITES: Route[] = [
  signedIn('put', '/invites/:invite', {
    summary: 'Makes an invite of the secret with this hash.',
    limit: 'invites',
    response: InviteResponse,
    errors: ['invite-exists', 'forbidden'],
    handle: async ({ invites, config }, { path }) => {
      if (config.invites !== 'members') throw new RelayError('forbidden');
      return invites.create(path.invite);
    },
  }),
  open('post', '/invites/check', {
    summary: 'Whether an invite is worth filling a form for.',
    limit: 'inviteCheck',
    request: InviteCheckRequest,
    response: InviteCheckResponse,
    handle: async ({ invites }, { body }) => ({ state: await invites.check(body.invite) }),
  }),
];
