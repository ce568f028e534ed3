// What the bench puts into the store: the same each time, but for ids.
import { toBase64url } from '../../packages/crypto/src/bytes.ts';
import type { ContactRow, ConversationRow, MessageRow } from '../../packages/engine/src/rows.ts';

export interface Size {
  conversations: number;
  messages: number;
}

export const COMMON = 'tonight';
export const RARE = 'xylograph';
/** So many messages have the rare word. */
const RARE_COUNT = 20;
/** The first conversation has a fifth of all messages, and so many that nobody has seen. */
const LARGE = 0.2;
const LARGE_UNREAD = 300;

/** mulberry32 */
const createRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};
const random = createRandom(7);

export const newId = (bytes = 16): string => toBase64url(crypto.getRandomValues(new Uint8Array(bytes)));

const SYLLABLES = 'ba de fi go lu ma ne pi ro su ta ve wi zo ka le mi no pu ra'.split(' ');
const WORDS = Array.from({ length: 4000 }, () =>
  Array.from(
    { length: 2 + Math.floor(random() * 3) },
    () => SYLLABLES[Math.floor(random() * SYLLABLES.length)],
  ).join(''),
);

/** 4 to 24 words, a few of them in most messages; every third has the common word. */
export const newText = (): string => {
  const words = Array.from(
    { length: 4 + Math.floor(random() * 20) },
    () => WORDS[Math.floor(random() ** 3 * WORDS.length)]!,
  );
  if (random() < 1 / 3) words.push(COMMON);
  return words.join(' ');
};

const newContact = (at: number): ContactRow => ({
  account: newId(32),
  handle: `friend${at}`,
  name: `Friend ${at}`,
  verified: true,
  introduced: true,
  chain: [],
  devices: [],
});

export interface Filling {
  contacts: ContactRow[];
  conversations: ConversationRow[];
  /** Made as they are asked for. */
  messages: Iterable<MessageRow>;
}

/** People with a conversation each, over the last year. */
export const makeRows = (me: { account: string; device: string }, size: Size, now: number): Filling => {
  const contacts = Array.from({ length: size.conversations }, (_, at) => newContact(at));
  const device = newId();
  const large = Math.floor(size.messages * LARGE);
  const others = Math.floor((size.messages - large) / (size.conversations - 1));
  const countOf = (at: number): number => (at === 0 ? large : others);
  const unreadOf = (at: number): number => (at === 0 ? LARGE_UNREAD : at % 10 === 0 ? 3 : 0);
  const every = Math.floor(size.messages / RARE_COUNT);
  let made = 0;

  const messageOf = (conversation: string, at: number, n: number): MessageRow => {
    const count = countOf(at);
    const isUnread = n >= count - unreadOf(at);
    const isMine = !isUnread && n % 2 === 0;
    const order = Math.floor(now - (count - n) * ((365 * 86_400_000) / count) - at);
    made += 1;
    return {
      conversation,
      id: newId(),
      order,
      from: isMine ? me.account : conversation,
      device: isMine ? me.device : device,
      sentAt: order,
      at: order,
      status: isUnread ? 'delivered' : 'read',
      unindexed: 1,
      ...(isUnread && { unread: 1 as const }),
      text: made % every === 0 ? `${newText()} ${RARE}` : newText(),
    };
  };

  const last = contacts.map(({ account }, at) => messageOf(account, at, countOf(at) - 1));
  const conversations = contacts.map(({ account: id }, at): ConversationRow => {
    const { id: message, order, text, status, from } = last[at]!;
    return {
      id,
      createdAt: order,
      unread: unreadOf(at),
      floors: { [device]: order },
      last: { id: message, order, time: order, text, status, mine: from === me.account },
    };
  });

  const messages = function* () {
    for (const [at, { account }] of contacts.entries()) {
      for (let n = 0; n < countOf(at) - 1; n += 1) yield messageOf(account, at, n);
      yield last[at]!;
    }
  };
  return { contacts, conversations, messages: messages() };
};
