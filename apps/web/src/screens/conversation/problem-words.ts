import type { SendProblem } from '@sotto/engine/rows';
import type { Person } from '@sotto/engine/views';
import { t } from '../../i18n/i18n.ts';

/** Why a message was not sent, and whether sending the same again can help. */
export const problemWords = (
  problem: SendProblem | undefined,
  { name, handle }: Pick<Person, 'name' | 'handle'>,
): { says: string; again: boolean } => {
  switch (problem) {
    case 'account-unknown':
    case 'device-unknown':
    case 'not-found':
      return { says: t('conversation.failedNoDevice', { name }), again: true };
    case 'keys-invalid':
      return {
        says: t('conversation.failedKeys', { name }),
        again: true,
      };
    case 'other-handle':
      return {
        says: t('conversation.failedOtherHandle', { handle }),
        again: true,
      };
    case 'group-stopped':
      return { says: t('conversation.failedStopped'), again: false };
    case 'not-a-member':
      return { says: t('conversation.failedNoMember'), again: false };
    case 'body-too-large':
      return { says: t('conversation.failedTooLarge'), again: false };
    case 'device-removed':
      return { says: t('conversation.failedDeviceRemoved'), again: false };
    case undefined:
      return { says: t('conversation.failed'), again: true };
    default:
      return { says: t('conversation.failedRefused', { code: problem }), again: true };
  }
};
