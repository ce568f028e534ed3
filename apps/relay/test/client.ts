import type { OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import type { EnvelopeId } from '@sotto/contract/ids';
import { connect } from './device.ts';
import type { Party } from './exchange.ts';

const AGAIN_MS = 100;
/** As long as a client waits for an answer. */
const PATIENCE_MS = 3_000;
const FRAME_BYTES = 768 * 1024;

type Item = { kind: 'send'; item: OutgoingEnvelope } | { kind: 'post'; item: OutgoingPost };

/**
 * A client as it should be: connects again, sends again under the same id what was not accepted, acknowledges what it
 * has. `port` is asked at every connection. Counts all that it sees.
 */
export const openClient = (port: () => number, party: Party, options: { patience?: number } = {}) => {
  const outbox = new Map<EnvelopeId, Item>();
  /** What was accepted, with every time that was told. */
  const accepted = new Map<EnvelopeId, Set<number>>();
  /** In order of arrival, repeated ones too. */
  const delivered: { id: EnvelopeId; at: number }[] = [];
  const codes = new Set<string>();
  let [ups, closed, answered] = [0, false, Date.now()];
  let line: ReturnType<typeof connect>;
  /** Gives up the connection there is, and makes another. */
  let drop = (): void => undefined;

  const emit = (items: Item[]): void => {
    for (let at = 0; at < items.length;) {
      const { kind } = items[at]!;
      const some: Item['item'][] = [];
      // As much as a frame holds.
      for (let bytes = 0; some.length < (kind === 'send' ? 50 : 16) && items[at]?.kind === kind; at += 1) {
        const { item } = items[at]!;
        bytes += item.body.length;
        if (some.length > 0 && bytes > FRAME_BYTES) break;
        some.push(item);
      }
      if (kind === 'send') line.socket.emit('send', { envelopes: some as OutgoingEnvelope[] });
      else line.socket.emit('post', { posts: some as OutgoingPost[] });
    }
  };
  const flush = (): void => {
    if (!line.socket.connected) return;
    answered = Date.now();
    emit([...outbox.values()]);
  };
  const open = (): void => {
    if (closed) return;
    const opened = connect(port(), { token: party.token }, { acks: true });
    line = opened;
    let over = false;
    const again = (): void => {
      if (over) return;
      over = true;
      opened.close();
      setTimeout(open, AGAIN_MS);
    };
    drop = again;
    answered = Date.now();
    const { socket } = opened;
    socket.on('connect', () => {
      ups += 1;
      flush();
    });
    socket.on('disconnect', again);
    socket.on('connect_error', again);
    socket.on('deliver', ({ envelopes }) => {
      for (const { id, at } of envelopes) delivered.push({ id, at });
    });
    socket.on('accepted', ({ results }) => {
      answered = Date.now();
      for (const result of results) {
        if ('code' in result) codes.add(result.code);
        else {
          outbox.delete(result.id);
          accepted.set(result.id, (accepted.get(result.id) ?? new Set()).add(result.at));
        }
      }
    });
  };
  const looking = setInterval(() => {
    if (outbox.size === 0) return;
    if (Date.now() - answered > (options.patience ?? PATIENCE_MS)) drop();
    // What was refused goes again.
    else if (line.socket.connected && codes.size > 0) flush();
  }, 500);
  open();
  return {
    party,
    accepted,
    delivered,
    codes,
    outbox,
    /** How often it was connected. */
    get ups() {
      return ups;
    },
    get connected() {
      return line.socket.connected;
    },
    /** The connection there is now. */
    get line() {
      return line;
    },
    send: (...items: OutgoingEnvelope[]): void => {
      const made = items.map((item): Item => ({ kind: 'send', item }));
      for (const one of made) outbox.set(one.item.id, one);
      if (line.socket.connected) emit(made);
    },
    post: (...items: OutgoingPost[]): void => {
      const made = items.map((item): Item => ({ kind: 'post', item }));
      for (const one of made) outbox.set(one.item.id, one);
      if (line.socket.connected) emit(made);
    },
    /** Ids that were delivered, each once. */
    known: (): Set<EnvelopeId> => new Set(delivered.map(({ id }) => id)),
    close: (): void => {
      closed = true;
      clearInterval(looking);
      line.close();
    },
  };
};
export type Client = ReturnType<typeof openClient>;
