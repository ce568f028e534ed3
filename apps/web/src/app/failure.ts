import { RelayError } from '@sotto/contract/errors';
import { EngineError } from '@sotto/engine/errors';
import { StoreError } from '@sotto/engine/ports';
import { t } from '../i18n/i18n.ts';
import type { Key } from '../i18n/keys.ts';

const STORE_WORDS: Record<StoreError['code'], Key> = {
  full: 'app.storeFull',
  failed: 'app.storeFailed',
  superseded: 'app.storeSuperseded',
  closed: 'app.storeClosed',
  blocked: 'app.storeBlocked',
  newer: 'app.storeNewer',
  sealed: 'app.storeSealed',
};

const ENGINE_WORDS: Record<EngineError['code'], Key> = {
  'not-ready': 'app.notReady',
  'already-registered': 'app.alreadyRegistered',
  yourself: 'app.yourself',
  empty: 'app.empty',
  'too-long': 'app.tooLong',
  'no-conversation': 'app.noConversation',
  'bad-name': 'app.badName',
  'other-handle': 'app.otherHandle',
  'no-message': 'app.noMessage',
  'not-yours': 'app.notYours',
  'not-sent': 'app.notSent',
  'no-request': 'app.noRequest',
  blocked: 'app.blocked',
  'not-joined': 'app.notJoined',
  'group-stopped': 'app.groupStopped',
  'not-a-member': 'app.notAMember',
  'no-member': 'app.noMember',
  'not-allowed': 'app.notAllowed',
  'bad-link': 'app.badLink',
  'link-expired': 'app.linkExpired',
  'is-group': 'app.isGroup',
  'too-many-blocked': 'app.tooManyBlocked',
  'too-many-members': 'app.tooManyMembers',
  'bad-emoji': 'app.badEmoji',
  'bad-timer': 'app.badTimer',
  'too-late': 'app.tooLate',
  interrupted: 'app.interrupted',
};

/** What went wrong, and what to do, for whatever the engine rejected with. */
export const explain = (error: unknown): string => {
  if (error instanceof StoreError) return t(STORE_WORDS[error.code]);
  if (error instanceof EngineError) return t(ENGINE_WORDS[error.code]);
  // The rules of a group forbid it, for instance because a role was taken away a moment ago.
  if (error instanceof Error && 'code' in error && error.code === 'membership-invalid')
    return t('app.membershipInvalid');
  if (!(error instanceof RelayError)) return t('app.unexpected');
  switch (error.code) {
    case 'unreachable':
      return t('app.unreachable');
    case 'busy':
    case 'internal':
      return t('app.relayTrouble');
    case 'too-many-requests':
      return t('app.tooOften');
    case 'too-many-members':
      return t('app.tooManyMembers');
    case 'too-many-channels':
      return t('app.tooManyGroups');
    case 'channel-unknown':
      return t('app.notAMember');
    case 'link-unknown':
      return t('app.linkUnknown');
    case 'already-member':
      return t('app.alreadyMember');
    case 'device-removed':
      return t('app.deviceRemoved');
    default:
      return t('app.relayRefused', { code: error.code });
  }
};

export const codeOf = (error: unknown): string | undefined =>
  error instanceof RelayError || error instanceof StoreError || error instanceof EngineError
    ? error.code
    : undefined;
