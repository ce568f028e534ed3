import type { ConversationId } from '@sotto/contract/ids';
import type { ChatMessage, ConversationView } from '@sotto/engine/views';
import { online, type Resident, until, type World, type Wrap } from './world.ts';

/** The conversation that others have with somebody. */
export const idOf = ({ engine }: Resident): ConversationId =>
  engine.getSnapshot().me!.account as unknown as ConversationId;

export const viewOf = async ({ engine }: Resident, id: ConversationId): Promise<ConversationView> => {
  await until(
    engine,
    ({ conversations }) => conversations.some((entry) => entry.id === id),
    'the conversation',
  );
  return (await engine.openConversation(id))!;
};

export const texts = (view: ConversationView): string[] =>
  view.getSnapshot().messages.map(({ text }) => text);

export const messageOf = (view: ConversationView, id: string): ChatMessage | undefined =>
  view.getSnapshot().messages.find((message) => message.id === id);

export const newId = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

export interface Meeting {
  ann: Resident;
  bob: Resident;
  /** What each calls their conversation. */
  withAnn: ConversationId;
  withBob: ConversationId;
  anns: ConversationView;
  bobs: ConversationView;
}

let count = 0;

/** Two people who have written to each other: each has the other's name, token and an answered session. */
export const meet = async (
  world: World,
  name: string,
  wraps: { ann?: Wrap; bob?: Wrap } = {},
): Promise<Meeting> => {
  const number = ++count;
  const ann = await world.resident(`${name}_a${number}`, wraps.ann);
  const bob = await world.resident(`${name}_b${number}`, wraps.bob);
  await Promise.all([online(ann.engine), online(bob.engine)]);
  const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
  const withBob = idOf(bob);
  await bob.engine.send(withAnn, 'hello');
  const anns = await viewOf(ann, withBob);
  await until(anns, () => texts(anns).length === 1, 'the first message');
  await ann.engine.markRead(withBob);
  await ann.engine.send(withBob, 'hello yourself');
  const bobs = await viewOf(bob, withAnn);
  await until(bobs, () => texts(bobs).length === 2, 'the answer');
  await bob.engine.markRead(withAnn);
  const settled = (view: ConversationView) =>
    until(view, ({ messages }) => messages.every(({ mine, status }) => !mine || status === 'read'), 'read');
  await Promise.all([settled(anns), settled(bobs)]);
  return { ann, bob, withAnn, withBob, anns, bobs };
};
