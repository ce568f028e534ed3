import type { AccountId, ConversationId } from '@sotto/contract/ids';
import type { ConversationView } from '@sotto/engine/views';
import { newId } from './meeting.ts';
import { online, type Resident, until, type World, type Wrap } from './world.ts';

let count = 0;

export const accountOf = ({ engine }: Resident): AccountId => engine.getSnapshot().me!.account;

/** People who do not know each other, but that the first has everybody's contact link. */
export const people = async (world: World, name: string, wraps: readonly Wrap[]): Promise<Resident[]> => {
  const number = ++count;
  const all = await Promise.all(
    wraps.map((wrap, at) => world.resident(`${name}_${'abcdefgh'[at]}${number}`, wrap)),
  );
  await Promise.all(all.map(({ engine }) => online(engine)));
  const [first, ...others] = all;
  for (const other of others) await first!.engine.addContact(other.engine.getSnapshot().contact!);
  return all;
};

export const groupOf = ({ engine }: Resident, id: ConversationId) =>
  engine.getSnapshot().conversations.find((entry) => entry.id === id)?.group;

/** Waits until somebody sees the group with so many members. */
export const sees = (resident: Resident, id: ConversationId, members: number): Promise<unknown> =>
  until(
    resident.engine,
    ({ conversations }) => conversations.some((entry) => entry.id === id && entry.group?.members === members),
    `the group of ${members}`,
  );

/** What was written there, without the lines that say what changed. */
export const words = (view: ConversationView): string[] =>
  view.getSnapshot().messages.flatMap(({ note, text }) => (note ? [] : [text]));

export const notes = (view: ConversationView): string[] =>
  view.getSnapshot().messages.flatMap(({ note }) => (note ? [note.kind] : []));

export const hears = (view: ConversationView, text: string): Promise<unknown> =>
  until(view, () => words(view).includes(text), text);

export const viewOf = async ({ engine }: Resident, id: ConversationId): Promise<ConversationView> => {
  await until(engine, ({ conversations }) => conversations.some((entry) => entry.id === id), 'the group');
  return (await engine.openConversation(id))!;
};

/** A group of everybody, made by the first, that all of them see and have agreed to. */
export const circle = async (
  world: World,
  name: string,
  wraps: readonly Wrap[],
): Promise<{ all: Resident[]; id: ConversationId; views: ConversationView[] }> => {
  const all = await people(world, name, wraps);
  const id = newId() as unknown as ConversationId;
  const members = all.slice(1).map(accountOf);
  await all[0]!.engine.createGroup({ id, title: name, members });
  await Promise.all(all.map((one) => sees(one, id, all.length)));
  return { all, id, views: await Promise.all(all.map((one) => viewOf(one, id))) };
};

/** What somebody's device sends to a group with. */
export const ownKeyOf = async ({ store }: Resident, id: ConversationId) => {
  const { account, device } = (await store.get('self', 'self'))!;
  return (await store.get('sender', [id, account, device]))!.sending!.own;
};
