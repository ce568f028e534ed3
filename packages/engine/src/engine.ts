import type { ErrorCode } from '@sotto/contract/errors';
import { RelayError } from '@sotto/contract/errors';
import type { ConversationId, DeliveryToken, InviteId, InviteSecret, MessageId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { sha256 } from '@sotto/crypto/keys';
import { createDirectory } from './account/directory.ts';
import { maintainPrekeys } from './account/prekeys.ts';
import { confirm, prepare } from './account/registration.ts';
import { signerOf } from './account/signer.ts';
import { cleanName, wellFormed } from './clean-text.ts';
import { createBackoff, type Clock, systemClock } from './clock.ts';
import { openConversationView } from './conversations/conversation-view.ts';
import { answered } from './conversations/request.ts';
import { contactOf } from './conversations/person.ts';
import {
  directConversation,
  enqueue,
  putContact,
  putConversation,
  putMessage,
} from './conversations/draft.ts';
import { UNSENT_ORDER, withLast } from './conversations/order.ts';
import { createEmitter } from './emitter.ts';
import { EngineError } from './errors.ts';
import { enqueueReceipts } from './inbox/apply.ts';
import { createInbox } from './inbox/inbox.ts';
import { type Draft, openModel } from './model.ts';
import { createPump } from './pump.ts';
import { createOutbox } from './outbox/outbox.ts';
import { type Connection, type Store, StoreError, type Transport } from './ports.ts';
import { randomId } from './random-id.ts';
import type { ContactRow, MessageRow, SelfRow } from './rows.ts';
import { createOverview } from './overview.ts';
import type { Engine, EngineSnapshot } from './views.ts';

const MAINTENANCE_MS = 12 * 60 * 60 * 1000;
const REFILL_MS = 10 * 60_000;

export interface EngineOptions {
  store: Store;
  transport: Transport;
  clock?: Clock;
}

/** Opens what the store holds, shows it, and connects when there is an account. Needs no network. */
export const createEngine = async ({
  store,
  transport,
  clock = systemClock,
}: EngineOptions): Promise<Engine> => {
  const model = await openModel(store);
  const emitter = createEmitter();
  const overview = createOverview(model);
  const directory = createDirectory(model, transport, clock);
  const registering = createBackoff(1000, 30_000);
  let cancelMaintenance: (() => void) | undefined;
  let cancelRefill: (() => void) | undefined;
  let cancelRegistering: (() => void) | undefined;
  let connection: Connection | undefined;
  let state: Pick<EngineSnapshot, 'phase' | 'connection' | 'catchingUp' | 'refusal' | 'storeProblem'> = {
    phase: model.self === undefined ? 'new' : model.self.registering ? 'joining' : 'ready',
    connection: 'connecting',
    catchingUp: true,
  };
  let snapshot: EngineSnapshot | undefined;

  const changed = (): void => {
    snapshot = undefined;
    emitter.emit();
  };

  const set = (next: Partial<typeof state>): void => {
    state = { ...state, ...next };
    changed();
  };

  const onError = (error: unknown): void => {
    if (!(error instanceof StoreError)) return;
    if (error.code === 'superseded') void close();
    else if (state.phase !== 'stopped') set({ storeProblem: error.code });
  };

  const outbox = createOutbox({ model, directory, transport, clock, onError });
  const inbox = createInbox({ model, directory, clock, onError, onStored: () => outbox.kick() });

  /** Looks after the prekeys, at every connection and twice a day. */
  const maintenance = createPump(async () => {
    cancelMaintenance?.();
    cancelMaintenance = clock.after(MAINTENANCE_MS, () => maintenance.kick());
    if (state.connection !== 'online') return;
    try {
      await maintainPrekeys(model, transport, clock.now());
    } catch (error) {
      onError(error);
    }
  });

  const refill = (): void => {
    cancelRefill = undefined;
    maintenance.kick();
  };

  const stopListening = model.onChange(() => {
    if (state.storeProblem !== undefined) {
      const { storeProblem: _, ...rest } = state;
      state = rest;
    }
    changed();
  });

  /** Runs a command against the store, telling of what the store could not do before passing it on. */
  const command = async <R>(make: (draft: Draft, self: SelfRow) => Promise<R>): Promise<R> => {
    const { self } = model;
    if (!self || self.registering || state.phase === 'stopped') throw new EngineError('not-ready');
    try {
      return await model.change((draft) => make(draft, self));
    } catch (error) {
      onError(error);
      throw error;
    }
  };

  const connect = (self: SelfRow): void => {
    if (connection || state.phase === 'stopped') return;
    const opened = transport.connect(signerOf(self), {
      connected() {
        const { refusal: _, ...rest } = state;
        state = rest;
        set({ connection: 'online', catchingUp: true });
        inbox.connected(opened);
        outbox.connected(opened);
        maintenance.kick();
      },
      disconnected(refusal?: ErrorCode) {
        inbox.disconnected();
        outbox.disconnected();
        if (state.phase === 'stopped') return;
        const removed = refusal === 'device-removed';
        set({ connection: 'offline', ...(refusal && { refusal }), ...(removed && { phase: 'removed' }) });
      },
      accepted: (results) => outbox.accepted(results),
      deliver: (envelopes) => inbox.deliver(envelopes),
      caughtUp: () => set({ catchingUp: false }),
      problem: (code) => outbox.refused(code),
      // Not at once: using them up would tell who is there.
      prekeysLow: () => void (cancelRefill ??= clock.after(Math.random() * REFILL_MS, refill)),
    });
    connection = opened;
  };

  /** Goes on with an account that the relay has not confirmed, until it does or refuses by name. */
  const resume = createPump(async () => {
    cancelRegistering?.();
    if (state.phase !== 'joining') return;
    try {
      await confirm(model, transport, clock.now());
      begin();
    } catch (error) {
      onError(error);
      if (model.self === undefined) set({ phase: 'new' });
      else if (state.phase === 'joining') {
        set({ connection: 'offline' });
        cancelRegistering = clock.after(registering.next(), () => resume.kick());
      }
    }
  });

  const begin = (): void => {
    if (!model.self || state.phase === 'stopped') return;
    set({ phase: 'ready' });
    connect(model.self);
  };

  const addText = (draft: Draft, row: Omit<MessageRow, 'order' | 'status'>): number => {
    const { id, sentAt, text } = row;
    const seq = enqueue(draft, row.conversation, { kind: 'text', id: id as MessageId, sentAt, text });
    return UNSENT_ORDER + seq;
  };

  /** Before the first message to somebody: how one is called. */
  const introduce = (draft: Draft, self: SelfRow, contact: ContactRow): void => {
    if (contact.introduced) return;
    const token = self.delivery as DeliveryToken;
    enqueue(draft, contact.account, { kind: 'profile', name: self.name, token });
    putContact(draft, { ...contact, introduced: true });
  };

  const close = async (): Promise<void> => {
    if (state.phase === 'stopped') return;
    set({ phase: 'stopped', connection: 'offline' });
    cancelRegistering?.();
    cancelMaintenance?.();
    cancelRefill?.();
    connection?.close();
    stopListening();
    await Promise.all([outbox.stop(), inbox.stop(), resume.stop(), maintenance.stop()]);
    store.close();
  };

  const engine: Engine = {
    subscribe: emitter.subscribe,
    getSnapshot() {
      snapshot ??= { ...state, ...overview() };
      return snapshot;
    },

    async checkInvite(invite) {
      return (await transport.checkInvite(invite)).state;
    },

    async register({ link, handle, name }) {
      const { invite } = link;
      if (invite === undefined) throw new RelayError('invite-unknown');
      if (model.self && !model.self.registering) throw new EngineError('already-registered');
      const called = cleanName(name);
      if (called === '' || called.length > LIMITS.nameCharacters) throw new EngineError('bad-name');
      try {
        await prepare(model, { link: { ...link, invite }, handle, name: called }, clock.now());
        set({ phase: 'joining' });
        await confirm(model, transport, clock.now());
      } catch (error) {
        onError(error);
        if (state.phase !== 'stopped') set({ phase: 'new' });
        throw error;
      }
      begin();
    },

    async createInvite() {
      const { self } = model;
      if (!self || self.registering) throw new EngineError('not-ready');
      const invite = randomId() as InviteSecret;
      const id = toBase64url(await sha256(fromBase64url(invite))) as InviteId;
      const { expiresAt } = await transport.createInvite(signerOf(self), id);
      return { link: { invite, contact: contactOf(self) }, expiresAt };
    },

    async addContact(who) {
      const { self } = model;
      if (!self || self.registering) throw new EngineError('not-ready');
      if (who.handle === self.handle || ('account' in who && who.account === self.account)) {
        throw new EngineError('yourself');
      }
      let account: string;
      if ('account' in who) {
        account = who.account;
        await command(async (draft) => {
          const known = await draft.get('contact', account);
          const { handle, token } = who;
          const fresh = { handle, chain: [], devices: [], introduced: false };
          const row = { ...fresh, ...known, account, verified: true };
          putContact(draft, token === undefined ? row : { ...row, token });
        });
        const before = model.contacts.get(account)!;
        if (before.chain.length === 0) {
          // A link may name anybody beside its account. What cannot be found out now, the first message finds out.
          const after = await directory.refresh(account).catch((error: unknown) => {
            if (error instanceof RelayError && error.code === 'account-unknown') throw error;
            return before;
          });
          if (after.handle !== before.handle) throw new EngineError('other-handle');
        }
      } else {
        const response = await transport.handle(signerOf(self), who.handle);
        account = response.account;
        await directory.learn(response, account);
      }
      await command((draft) => directConversation(draft, account, clock.now()));
      outbox.kick();
      return account as ConversationId;
    },

    async openConversation(id) {
      const conversation = model.conversations.get(id);
      return conversation && openConversationView(model, conversation);
    },

    async send(id, text) {
      const whole = wellFormed(text).trim();
      if (whole === '') throw new EngineError('empty');
      if (whole.length > LIMITS.textCharacters) throw new EngineError('too-long');
      await command(async (draft, self) => {
        const known = await draft.get('conversation', id);
        const contact = await draft.get('contact', id);
        if (!known || !contact) throw new EngineError('no-conversation');
        introduce(draft, self, contact);
        const conversation = await answered(draft, store, known);
        const row = {
          conversation: id,
          id: randomId(),
          from: self.account,
          sentAt: clock.now(),
          text: whole,
        };
        const message: MessageRow = { ...row, order: addText(draft, row), status: 'waiting' };
        putMessage(draft, message);
        putConversation(draft, withLast(conversation, message, self.account));
      });
      outbox.kick();
    },

    async retry(id, messageId) {
      await command(async (draft, self) => {
        const conversation = await draft.get('conversation', id);
        const contact = await draft.get('contact', id);
        const failed = await draft.get('message', [id, messageId]);
        if (!conversation || !contact || failed?.status !== 'failed') return;
        introduce(draft, self, contact);
        const { problem: _, ...row } = failed;
        const message: MessageRow = { ...row, order: addText(draft, row), status: 'waiting' };
        putMessage(draft, message);
        putConversation(draft, withLast(conversation, message, self.account));
      });
      outbox.kick();
    },

    async markRead(id) {
      if ((model.conversations.get(id)?.unread ?? 0) === 0) return;
      await command(async (draft) => {
        const conversation = await draft.get('conversation', id);
        if (!conversation || conversation.unread === 0) return;
        const read: MessageRow[] = [];
        let before: MessageRow | undefined;
        while (read.length < conversation.unread) {
          const page = await model.store.messages(id, { limit: 100, ...(before && { before }) });
          read.push(...page.filter((row) => row.from === id && row.status === 'delivered'));
          before = page.at(-1);
          if (!before) break;
        }
        for (const row of read) putMessage(draft, { ...row, status: 'read' });
        const status = read.some((row) => row.id === conversation.last?.id) && { status: 'read' as const };
        const last = conversation.last && { ...conversation.last, ...status };
        putConversation(draft, { ...conversation, unread: 0, ...(last && { last }) });
        if (conversation.request) return;
        enqueueReceipts(
          draft,
          id,
          'read',
          read.filter(({ newer }) => !newer).map((row) => row.id),
        );
      });
      outbox.kick();
    },

    nudge() {
      if (cancelRegistering) resume.kick();
      connection?.retry();
    },

    close,
  };

  if (state.phase === 'ready') begin();
  if (state.phase === 'joining') resume.kick();
  return engine;
};
