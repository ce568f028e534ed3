import {
  BundlesRequest,
  BundlesResponse,
  PrekeysResponse,
  PublishRequest,
} from '@sotto/contract/rest/prekeys';
import { type Route, signedIn } from './route.ts';

export const PREKEYS: Route[] = [
  signedIn('put', '/prekeys', {
    summary: 'Publishes prekeys of the device that asks.',
    request: PublishRequest,
    response: PrekeysResponse,
    errors: ['prekey-invalid', 'sealing-key-invalid', 'too-many-prekeys'],
    handle: ({ prekeys }, { asker, body }) => prekeys.publish(asker.account, asker.device, body),
  }),
  signedIn('post', '/accounts/:account/bundles', {
    summary: 'Prekeys to start sessions with devices. One-time prekeys are given out once.',
    limit: 'allBundles',
    request: BundlesRequest,
    response: BundlesResponse,
    handle: ({ prekeys, limits }, { asker, path, body }) => {
      // Also for accounts that there are not, and before it is known.
      const own = path.account === asker.account;
      limits.takePair('bundles', own ? asker.device : asker.account, path.account);
      return prekeys.bundles(path.account, body.devices);
    },
  }),
];
