import type { LocalViews } from '../local-views.ts';
import type { Engine } from '../views.ts';

/** What the writer does, for whichever page asks. The rest of an engine is views, which every worker has its own of. */
export type CommandName = Exclude<keyof Engine, keyof LocalViews | 'close'>;

/**
 * What becomes of a command whose writer went away before it answered. `again`: the next writer is asked; done twice
 * it is as done once. `once`: it fails as `interrupted`, for what it did may be done.
 */
export const COMMANDS: Record<CommandName, 'again' | 'once'> = {
  relay: 'again',
  checkInvite: 'again',
  mailCode: 'once',
  register: 'again',
  deleteAccount: 'again',
  createInvite: 'again',
  addContact: 'again',
  openDirect: 'again',
  safety: 'again',
  compareCode: 'again',
  setVerified: 'again',
  send: 'again',
  retry: 'again',
  markRead: 'again',
  noteToSelf: 'again',
  edit: 'again',
  deleteForEveryone: 'again',
  deleteForMe: 'again',
  react: 'again',
  setDraft: 'again',
  setTimer: 'again',
  setFlags: 'again',
  star: 'again',
  accept: 'again',
  decline: 'again',
  block: 'again',
  unblock: 'again',
  setProfile: 'again',
  setSettings: 'again',
  typing: 'again',
  present: 'again',
  offerDevice: 'once',
  acceptProposal: 'once',
  addDevice: 'again',
  confirmDevice: 'again',
  removeDevice: 'again',
  acceptIdentity: 'again',
  startAnew: 'again',
  cancel: 'again',
  createGroup: 'again',
  addMembers: 'again',
  removeMembers: 'again',
  leaveGroup: 'again',
  setRole: 'again',
  setTitle: 'again',
  setDescription: 'again',
  setPolicy: 'again',
  nudge: 'again',
};
