import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InviteSecret } from '@sotto/contract/ids';
import { inviteId, newInviteSecret, type Invites } from './services/invites.ts';

/** The invite of the first person, kept in a file so that every start prints the same link until it is used. */
export class FirstInvite {
  readonly #path: string;
  readonly #invites: Invites;

  constructor(dataFolder: string, invites: Invites) {
    this.#path = join(dataFolder, 'first-invite');
    this.#invites = invites;
  }

  async open(): Promise<InviteSecret> {
    const kept = this.#read();
    const state = kept && (await this.#invites.check(kept));
    if (state === 'open') return kept!;
    // Unknown: a start was cut short between the file and the database.
    const secret = state === 'unknown' ? kept! : newInviteSecret();
    writeFileSync(this.#path, `${secret}\n`, { mode: 0o600 });
    await this.#invites.create(inviteId(secret));
    return secret;
  }

  /** Closes it: somebody is there, by this invite or by another. */
  async forget(): Promise<void> {
    const kept = this.#read();
    if (kept === undefined) return;
    await this.#invites.revoke(kept);
    rmSync(this.#path, { force: true });
  }

  #read(): InviteSecret | undefined {
    try {
      return InviteSecret.safeParse(readFileSync(this.#path, 'utf8').trim()).data;
    } catch {
      return undefined;
    }
  }
}
