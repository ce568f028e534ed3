import { RelayError } from '@sotto/contract/errors';
import type { Handle } from '@sotto/contract/ids';

/** How a handle looks: equal for those that one may be taken for. The migration that came with it does the same. */
export const skeletonOf = (handle: string): string =>
  handle
    .replaceAll('0', 'o')
    .replaceAll('1', 'l')
    .replaceAll('_', '')
    .replaceAll('m', 'rn')
    .replaceAll('w', 'vv');

/** Those that would pass for the relay or for who runs it. */
const RESERVED = new Set(
  (
    'sotto admin administrator root host relay server system support help security official moderator staff team info ' +
    'contact abuse postmaster webmaster null undefined everyone all deleted'
  )
    .split(' ')
    .map(skeletonOf),
);

/** The skeleton under which a handle can be taken. @throws RelayError `handle-taken` when it is reserved */
export const claimSkeleton = (handle: Handle): string => {
  const skeleton = skeletonOf(handle);
  if (RESERVED.has(skeleton)) throw new RelayError('handle-taken');
  return skeleton;
};
