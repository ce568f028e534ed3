import {
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  CreateChannelRequest,
  EpochResponse,
} from '@sotto/contract/rest/channels';
import { type Route, signedIn } from './route.ts';

export const CHANNELS: Route[] = [
  signedIn('post', '/channels', {
    summary: 'Makes a channel at epoch 0. Repeating it is answered as the first time.',
    limit: 'channels',
    request: CreateChannelRequest,
    large: true,
    response: EpochResponse,
    status: 201,
    errors: ['channel-exists', 'account-unknown', 'too-many-members', 'too-many-channels'],
    handle: ({ channels }, { asker, body }) => channels.create(asker.account, body),
  }),
  signedIn('get', '/channels', {
    summary: 'The channels of the account that asks.',
    response: ChannelsResponse,
    handle: ({ channels }, { asker }) => channels.list(asker.account),
  }),
  signedIn('get', '/channels/:channel', {
    summary: 'The list of members, and the log from an epoch on.',
    limit: 'channels',
    query: ['from'],
    response: ChannelResponse,
    errors: ['channel-unknown'],
    handle: ({ channels }, { asker, path, query }) => channels.read(asker.account, path.channel, query.from),
  }),
  signedIn('post', '/channels/:channel/entries', {
    summary: 'Adds an entry to the log and does what it says to the list of members, at the next epoch.',
    limit: 'channels',
    request: ChangeChannelRequest,
    large: true,
    response: EpochResponse,
    errors: [
      'channel-unknown',
      'forbidden',
      'stale-epoch',
      'account-unknown',
      'too-many-members',
      'too-many-channels',
      'channel-full',
    ],
    handle: ({ channels }, { asker, path, body }) => channels.change(asker.account, path.channel, body),
  }),
  signedIn('post', '/channels/:channel/join', {
    summary: 'Agrees to be in a channel that somebody else put the account into. Again is no error.',
    limit: 'channels',
    errors: ['channel-unknown'],
    handle: ({ channels }, { asker, path }) => channels.join(asker.account, path.channel),
  }),
];
