import { RelayError } from '@sotto/contract/errors';
import type { ChainHead, DeviceId } from '@sotto/contract/ids';
import { toBase64url } from '@sotto/crypto/bytes';
import { revokeDevice } from '@sotto/crypto/chain';
import { remembered } from '../account/contact-keys.ts';
import { startAnew } from '../account/copied.ts';
import type { Directory } from '../account/directory.ts';
import { signerOf } from '../account/signer.ts';
import { type Clock, dayOf } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import { EngineError } from '../errors.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { AccountKeys, SelfRow } from '../rows.ts';
import type { Engine } from '../views.ts';
import { accept, appending, newDeviceKeys, type OfferedKeys, offerOf, propose } from './linking.ts';

/** How often one's own chain may go on while an event is added to it. */
const ATTEMPTS = 3;

interface Parts {
  model: Model;
  directory: Directory;
  transport: Transport;
  clock: Clock;
  /** Runs a command against the store. @throws EngineError `not-ready` */
  command: <R>(make: (draft: Draft, self: SelfRow) => Promise<R>) => Promise<R>;
  /** This device waits to be added from now on. */
  joining: () => void;
  /** Something waits to be sent or published, or what it waited for may be there. */
  kick: () => void;
  /** Out of every group, as far as that can be done. @throws RelayError unreachable */
  leaveAll: () => Promise<void>;
}

type Commands = Pick<
  Engine,
  | 'offerDevice'
  | 'acceptProposal'
  | 'addDevice'
  | 'confirmDevice'
  | 'removeDevice'
  | 'deleteAccount'
  | 'acceptIdentity'
  | 'startAnew'
>;

const agreed = <K extends AccountKeys>({ changed: _, ...keys }: K): Omit<K, 'changed'> => keys;

/** The devices of one's own account, and what the person has to agree to. */
export const createDeviceCommands = (parts: Parts): Commands => {
  const { model, directory, transport, clock, command, joining, kick, leaveAll } = parts;
  let offered: OfferedKeys | undefined;

  /** One's own account as it is now. */
  const current = async (): Promise<SelfRow> => {
    await command(async () => undefined);
    return directory.refreshSelf();
  };

  const revoke = async (device: string): Promise<void> => {
    const self = await current();
    if (!self.devices.some((entry) => entry.device === device)) throw new RelayError('device-unknown');
    // A chain always has somebody who can go on with it.
    if (self.devices.length === 1) return transport.removeDevice(signerOf(self), device as DeviceId);
    const { state } = await remembered(self.chain);
    const draft = { state, author: self.signing, createdAt: dayOf(clock.now()), device };
    const { event } = await revokeDevice(draft);
    const head = toBase64url(state.head) as ChainHead;
    await transport.append(signerOf(self), { head, event: toBase64url(event) });
  };

  return {
    async offerDevice() {
      if (model.self && !model.self.joining) throw new EngineError('already-registered');
      offered ??= await newDeviceKeys();
      return offerOf(offered);
    },

    async acceptProposal(proposal) {
      if (model.self && !model.self.joining) throw new EngineError('already-registered');
      if (!offered) throw new EngineError('not-ready');
      const { self, prekeys, acceptance } = await accept(offered, proposal, clock.now());
      // Stored before anybody hears of them.
      await model.change((draft) => {
        draft.put('self', self, 'self');
        for (const row of prekeys) draft.put('prekey', row, [row.kind, row.id]);
      });
      joining();
      return acceptance;
    },

    async addDevice(offer) {
      return propose(await current(), offer, clock.now());
    },

    async confirmDevice(acceptance) {
      const { added, request } = await command(async (draft, self) => {
        const append = await appending(self, acceptance, clock.now());
        const adding = [...new Set([...(self.adding ?? []), append.added])];
        draft.put('self', { ...self, adding }, 'self');
        return append;
      });
      await transport.append(signerOf(model.self!), request);
      const { devices } = await directory.refreshSelf();
      if (!devices.some(({ device }) => device === added)) throw new RelayError('device-unknown');
      kick();
    },

    async removeDevice(device) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await revoke(device);
          break;
        } catch (error) {
          const stale = error instanceof RelayError && error.code === 'stale-head';
          if (!stale || attempt === ATTEMPTS) throw error;
        }
      }
      await directory.refreshSelf().catch(() => undefined);
      kick();
    },

    async deleteAccount() {
      await command(async () => undefined);
      await leaveAll();
      await transport.deleteAccount(signerOf(model.self!));
    },

    async acceptIdentity(id) {
      await command(async (draft, self) => {
        if (id === self.account) draft.put('self', agreed(self), 'self');
        const contact = await draft.get('contact', id);
        if (contact?.changed) putContact(draft, agreed(contact));
      });
      kick();
    },

    async startAnew() {
      await command((draft, self) => startAnew(draft, model, self, clock.now()));
      kick();
    },
  };
};
