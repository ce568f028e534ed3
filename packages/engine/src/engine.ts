import type { ErrorCode } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';
import { createAcquaintance } from './account/commands.ts';
import { publishDelivery } from './account/delivery.ts';
import { createCheckIn } from './account/check-in.ts';
import { createDirectory } from './account/directory.ts';
import { confirm, prepare } from './account/registration.ts';
import { signerOf } from './account/signer.ts';
import { createVerifying } from './account/verifying.ts';
import { cleanName } from './clean-text.ts';
import { createBackoff, type Clock, systemClock } from './clock.ts';
import type { Desk } from './conversations/commands.ts';
import { createExpiry, expire } from './conversations/expiry.ts';
import { createKeeping } from './conversations/keeping.ts';
import { prunePending } from './conversations/pending.ts';
import { createPeople } from './conversations/people.ts';
import { createSignals } from './conversations/signals.ts';
import { createWriting } from './conversations/writing.ts';
import { createDeviceCommands } from './devices/commands.ts';
import { joined } from './devices/joining.ts';
import { EngineError } from './errors.ts';
import { createGroupCommands, joinGroup, leaveAll, leaveQuietly } from './groups/commands.ts';
import { createGroups } from './groups/groups.ts';
import { createLinkCommands } from './groups/links.ts';
import { createInbox } from './inbox/inbox.ts';
import { type Box, createBox } from './box.ts';
import { firstLive, type Live, setLive } from './live.ts';
import { createLocalViews } from './local-views.ts';
import { type ChangeListener, type Draft, openModel } from './model.ts';
import { createPump } from './pump.ts';
import { prune } from './prune.ts';
import { openVault } from './vault.ts';
import { createIndexing } from './search/indexing.ts';
import { cancelMessage } from './outbox/cancel.ts';
import { createOutbox } from './outbox/outbox.ts';
import { type Connection, type Store, StoreError, type Transport } from './ports.ts';
import type { SelfRow } from './rows.ts';
import type { Engine } from './views.ts';

const MAINTENANCE_MS = 12 * 60 * 60 * 1000;
const REFILL_MS = 10 * 60_000;
const OVERDUE = { first: 1000, most: 10 * 60_000 };

export interface EngineOptions {
  store: Store;
  transport: Transport;
  clock?: Clock;
  /** Told of every commit, before whoever asked for it. */
  onCommit?: ChangeListener;
  /** Where the engine says what it knows and does not store. */
  onLive?: (live: Live) => void;
}

/** Opens what the store holds, shows it, and connects when there is an account. Needs no network. */
export const createEngine = async ({
  store: disk,
  transport,
  clock = systemClock,
  onCommit,
  onLive,
}: EngineOptions): Promise<Engine> => {
  const store = await openVault(disk);
  const model = await openModel(store);
  const live: Box<Live> = createBox(firstLive(model.self, model.outbox.size));
  live.subscribe(() => onLive?.(live.getSnapshot()));
  onLive?.(live.getSnapshot());
  // What ran out while nothing ran is gone before anything is shown.
  await expire(model, clock.now()).catch(() => undefined);
  const views = createLocalViews(model, live, clock);
  const directory = createDirectory(model, transport, clock);
  const registering = createBackoff(1000, 30_000);
  const overdue = createBackoff(OVERDUE.first, OVERDUE.most);
  /** What is overdue waits for its next attempt. */
  let rests = false;
  let cancelMaintenance: (() => void) | undefined;
  let cancelRefill: (() => void) | undefined;
  let cancelRegistering: (() => void) | undefined;
  let connection: Connection | undefined;

  const set = (next: Parameters<typeof setLive>[1]): void => setLive(live, next);
  const phase = (): Live['phase'] => live.getSnapshot().phase;

  const onError = (error: unknown): void => {
    if (!(error instanceof StoreError)) return;
    if (error.code === 'superseded') void close();
    else if (phase() !== 'stopped') set({ storeProblem: error.code });
  };

  const parts = { model, directory, transport, clock };
  const checkIn = createCheckIn(parts);
  const groups = createGroups({ ...parts, onStored: () => look(), onError });
  const outbox = createOutbox({
    ...parts,
    maySend: checkIn.passed,
    isCatchingUp: () => live.getSnapshot().catchingUp,
    onGroup: groups.look,
    onKeysMissing: groups.rekey,
    onError,
  });
  const expiry = createExpiry(model, clock, onError);
  const indexing = createIndexing(model, clock, onError);
  const signals = createSignals({ model, clock, onSigns: (signs) => set({ signs }), onError });
  const inbox = createInbox({
    model,
    directory,
    clock,
    hasPosted: outbox.hasPosted,
    prepare: outbox.prepare,
    onError,
    onStored: () => look(),
    onGroup: groups.look,
  });

  /** Looks after the prekeys and lets go of old rows, at every connection and twice a day. */
  const maintenance = createPump(async () => {
    rests = false;
    cancelMaintenance?.();
    cancelMaintenance = clock.after(MAINTENANCE_MS, () => maintenance.kick());
    try {
      await prune(model, clock.now());
      await prunePending(model, clock.now());
      if (live.getSnapshot().connection !== 'online') return;
      await checkIn.look();
      outbox.kick();
      await checkIn.maintain();
      await publishDelivery(model, transport);
      overdue.reset();
      outbox.kick();
    } catch (error) {
      onError(error);
      // Sending may wait for the prekeys, and who is blocked has a way in until the relay knows the new token.
      cancelMaintenance();
      rests = true;
      cancelMaintenance = clock.after(overdue.next(), () => maintenance.kick());
    }
  });

  /** Something was stored: lets go what it put into the outbox, and tells the relay what it has to know. */
  const look = (): void => {
    outbox.kick();
    if (model.self?.deliveryDue && !rests) maintenance.kick();
  };

  /** The keys of the account or of this device may be others now. */
  const lookAfterKeys = (): void => {
    look();
    maintenance.kick();
  };

  const refill = (): void => {
    cancelRefill = undefined;
    maintenance.kick();
  };

  const stopListening = model.onChange((writes) => {
    onCommit?.(writes);
    const isAdded = connection !== undefined && phase() === 'joining' && !model.self?.joining;
    set({ storeProblem: undefined, unsent: model.outbox.size, ...(isAdded && { phase: 'ready' }) });
  });

  /** Runs a command against the store, telling of what the store could not do before passing it on. */
  const command = async <R>(make: (draft: Draft, self: SelfRow) => Promise<R>): Promise<R> => {
    const { self } = model;
    if (!self || self.registering || self.joining || phase() === 'stopped')
      throw new EngineError('not-ready');
    try {
      const done = await model.change(async (draft) => {
        const made = await make(draft, (await draft.get('self', 'self'))!);
        await outbox.prepare(draft);
        return made;
      });
      look();
      return done;
    } catch (error) {
      onError(error);
      throw error;
    }
  };

  const desk: Desk = { model, clock, command };

  const connect = (self: SelfRow): void => {
    if (connection || phase() === 'stopped') return;
    const opened = transport.connect(signerOf(self), {
      time: expiry.time,
      connected() {
        expiry.connected();
        set({ connection: 'online', catchingUp: true, refusal: undefined });
        inbox.connected(opened);
        outbox.connected(opened);
        signals.connected(opened);
        maintenance.kick();
      },
      disconnected(refusal?: ErrorCode) {
        expiry.disconnected();
        inbox.disconnected();
        outbox.disconnected();
        groups.disconnected();
        signals.disconnected();
        if (phase() === 'stopped') return;
        const removed = refusal === 'device-removed';
        set({ connection: 'offline', ...(refusal && { refusal }), ...(removed && { phase: 'removed' }) });
      },
      accepted: (results) => outbox.accepted(results),
      deliver: (envelopes) => inbox.deliver(envelopes),
      live: (heard) => void signals.heard(heard),
      caughtUp: () =>
        void inbox.settled().then(() => {
          set({ catchingUp: false });
          look();
          if (live.getSnapshot().connection !== 'online') return;
          void inbox.caughtUp();
          groups.caughtUp();
        }),
      problem: (code) => outbox.refused(code),
      // Not at once: using them up would tell who is there.
      prekeysLow: () => void (cancelRefill ??= clock.after(Math.random() * REFILL_MS, refill)),
    });
    connection = opened;
  };

  /** Goes on with an account that the relay has not confirmed, until it does or refuses by name. */
  const resume = createPump(async () => {
    cancelRegistering?.();
    if (phase() !== 'joining') return;
    try {
      if (model.self?.joining) {
        await joined(directory);
        connect(model.self);
        return;
      }
      await confirm(model, transport, clock.now());
      begin();
    } catch (error) {
      onError(error);
      if (model.self === undefined) set({ phase: 'new' });
      else if (phase() === 'joining') {
        set({ connection: 'offline' });
        cancelRegistering = clock.after(registering.next(), () => resume.kick());
      }
    }
  });

  const begin = (): void => {
    if (!model.self || phase() === 'stopped') return;
    set({ phase: 'ready' });
    connect(model.self);
  };

  /** Waits for the device that adds this one to its account. */
  const joining = (): void => {
    set({ phase: 'joining' });
    resume.kick();
  };

  const close = async (): Promise<void> => {
    if (phase() === 'stopped') return;
    set({ phase: 'stopped', connection: 'offline' });
    cancelRegistering?.();
    cancelMaintenance?.();
    cancelRefill?.();
    connection?.close();
    stopListening();
    await Promise.all([
      signals.stop(),
      expiry.stop(),
      indexing.stop(),
      outbox.stop(),
      groups.stop(),
      inbox.stop(),
      resume.stop(),
      maintenance.stop(),
    ]);
    store.close();
  };

  const engine: Engine = {
    ...views,

    async register({ name, ...wish }) {
      if (model.self && !model.self.registering) throw new EngineError('already-registered');
      const called = cleanName(name);
      if (called === '' || called.length > LIMITS.nameCharacters) throw new EngineError('bad-name');
      try {
        await prepare(model, { ...wish, name: called }, clock.now());
        set({ phase: 'joining' });
        await confirm(model, transport, clock.now());
      } catch (error) {
        onError(error);
        if (phase() !== 'stopped') set({ phase: 'new' });
        throw error;
      }
      begin();
    },

    ...createAcquaintance(desk, { transport, directory }),
    ...createVerifying(desk),
    ...createWriting(desk),
    ...createKeeping(desk),
    ...createPeople(desk, {
      join: async (id) => {
        await joinGroup(desk, transport, id);
        // What waits for keys asks for them from now on.
        groups.look(id);
      },
      leave: (id) => leaveQuietly(desk, groups, id),
    }),
    ...createGroupCommands(desk, { groups, transport }),
    ...createLinkCommands(desk, { groups, transport }),
    ...createDeviceCommands({
      ...parts,
      command,
      joining,
      kick: lookAfterKeys,
      leaveAll: () => leaveAll(groups, model),
    }),
    cancel: (conversation, id) =>
      command((draft, self) => cancelMessage(draft, model, self, { conversation, id, now: clock.now() })),
    typing: signals.typing,
    present: signals.present,

    nudge() {
      if (cancelRegistering) resume.kick();
      connection?.retry();
    },

    close,
  };

  if (phase() === 'ready') begin();
  if (phase() === 'joining') resume.kick();
  return engine;
};
