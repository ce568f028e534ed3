import {
  AccountResponse,
  AppendRequest,
  AppendResponse,
  ChainResponse,
  DeliveryRequest,
  RegisterRequest,
  RegisterResponse,
} from '@sotto/contract/rest/accounts';
import { removeAccount, removeDevice } from '../services/devices.ts';
import { network } from '../services/limits.ts';
import { open, type Route, signedIn } from './route.ts';

export const ACCOUNTS: Route[] = [
  open('post', '/accounts', {
    summary: 'Registers. Repeating it with the same chain is answered as the first time.',
    limit: 'register',
    request: RegisterRequest,
    response: RegisterResponse,
    status: 201,
    errors: [
      'chain-invalid',
      'sealing-key-invalid',
      'prekey-invalid',
      'handle-taken',
      'account-deleted',
      'invite-unknown',
      'invite-expired',
      'invite-used',
      'verification-required',
      'verification-failed',
    ],
    handle: ({ accounts }, { body }) => accounts.register(body),
  }),
  signedIn('get', '/accounts/:account', {
    summary: 'What is needed to write to somebody.',
    limit: 'lookup',
    response: AccountResponse,
    errors: ['account-unknown'],
    handle: ({ accounts }, { path }) => accounts.byId(path.account),
  }),
  signedIn('get', '/handles/:handle', {
    summary: 'The same by handle.',
    limit: 'lookup',
    response: AccountResponse,
    errors: ['account-unknown'],
    handle: ({ accounts }, { path }) => accounts.byHandle(path.handle),
  }),
  signedIn('post', '/account/events', {
    summary: "Adds to one's own chain.",
    limit: 'events',
    request: AppendRequest,
    response: AppendResponse,
    errors: ['chain-invalid', 'sealing-key-invalid', 'prekey-invalid', 'stale-head', 'too-many-devices'],
    handle: ({ chains }, { asker, body }) => chains.append(asker.account, body),
  }),
  open('get', '/accounts/:account/chain', {
    summary: 'A chain that has a recovery key, for who has lost all devices.',
    limit: 'recoveries',
    response: ChainResponse,
    errors: ['unauthenticated'],
    handle: ({ chains }, { path }) => chains.read(path.account),
  }),
  open('post', '/accounts/:account/events', {
    summary: 'Adds to a chain for who has lost all devices: signed by the recovery key.',
    request: AppendRequest,
    response: AppendResponse,
    errors: ['unauthenticated', 'chain-invalid', 'sealing-key-invalid', 'prekey-invalid'],
    handle: ({ chains, limits }, { address, path, body }) => {
      limits.takeAddress('recoveries', address);
      // By address too: otherwise anybody could keep the owner out.
      limits.takePair('recovery', network(address), path.account);
      return chains.append(path.account, body, { recovery: true });
    },
  }),
  signedIn('put', '/account/delivery', {
    summary: 'Which delivery token lets into the inbox from now on.',
    request: DeliveryRequest,
    handle: ({ accounts }, { asker, body }) => accounts.setDelivery(asker.account, body.delivery),
  }),
  signedIn('delete', '/account', {
    summary: 'Deletes the account and everything of it.',
    errors: ['account-unknown'],
    handle: ({ prisma, gate }, { asker }) =>
      gate.run(asker.account, () => removeAccount(prisma, asker.account)),
  }),
  signedIn('delete', '/devices/:device', {
    summary: "Removes a device of one's own account.",
    errors: ['device-unknown', 'forbidden'],
    handle: ({ prisma, gate, config }, { asker, path }) =>
      gate.run(asker.account, () =>
        removeDevice(prisma, path.device, { account: asker.account, now: config.now() }),
      ),
  }),
];
