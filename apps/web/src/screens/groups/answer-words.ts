import type { JoinSnapshot } from '@sotto/engine/views';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';

const ANSWERS = {
  refused: 'groups.answerRefused',
  full: 'groups.answerFull',
  reset: 'groups.answerReset',
  expired: 'groups.answerExpired',
  stopped: 'groups.answerStopped',
  'other-group': 'groups.answerOther',
} as const satisfies Record<NonNullable<JoinSnapshot['answer']>, Key>;

/** What came of a request to be let into a group. */
export const answerWords = (answer: NonNullable<JoinSnapshot['answer']>, group: string): string =>
  t(ANSWERS[answer], { group });
