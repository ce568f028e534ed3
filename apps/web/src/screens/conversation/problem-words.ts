import type { SendProblem } from '@sotto/engine/rows';
import type { Person } from '@sotto/engine/views';

/** Why a message was not sent, and whether sending the same again can help. */
export const problemWords = (
  problem: SendProblem | undefined,
  { name, handle }: Pick<Person, 'name' | 'handle'>,
): { says: string; again: boolean } => {
  switch (problem) {
    case 'account-unknown':
    case 'device-unknown':
    case 'not-found':
      return { says: `Not sent: ${name} has no device here any more.`, again: true };
    case 'keys-invalid':
      return {
        says: `Not sent: the relay gave out keys that are not ${name}’s. Ask ${name} in another way before you go on.`,
        again: true,
      };
    case 'other-handle':
      return {
        says: `Not sent: the link gave another handle than the account has. This is @${handle}. Send it only if that is whom you mean.`,
        again: true,
      };
    case 'body-too-large':
      return { says: 'Not sent: too long for the relay. Write it in parts.', again: false };
    case 'device-removed':
      return { says: 'Not sent: this device was removed.', again: false };
    case undefined:
      return { says: 'Not sent.', again: true };
    default:
      return { says: `Not sent: the relay refused it (${problem}).`, again: true };
  }
};
