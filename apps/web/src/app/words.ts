/** Instead of a message that this version cannot show. */
export const NEWER = 'A newer kind of message. Update the app to read it.';

/** Instead of a message that its author took back. */
export const DELETED = 'This message was deleted.';
