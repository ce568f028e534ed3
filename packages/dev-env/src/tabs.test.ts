import type { ConversationId, Handle, MessageId } from '@sotto/contract/ids';
import { randomId } from '@sotto/engine/random-id';
import type { ConversationView, Engine } from '@sotto/engine/views';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createBrowser, type Tab } from './browser.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

let world: World;
let bob: Resident;
const browsers: ReturnType<typeof createBrowser>[] = [];

beforeAll(async () => {
  world = await createWorld();
  bob = await world.resident('bob');
});
afterEach(async () => {
  await Promise.all(browsers.splice(0).map((browser) => browser.close()));
});
afterAll(() => world.close());

const chat = async (engine: Engine, id: string): Promise<ConversationView> =>
  (await engine.openConversation(id as ConversationId))!;

const texts = (view: ConversationView): string[] => view.getSnapshot().messages.map(({ text }) => text);

const send = (engine: Engine, to: ConversationId, text: string): Promise<void> =>
  engine.send(to, text, { id: randomId() as MessageId });

let count = 0;

/** A browser with so many tabs, whose person has an account and a conversation with Bob. */
const opened = async (tabs: number) => {
  const browser = createBrowser(world.relay.url);
  browsers.push(browser);
  const first = await browser.tab();
  const { member } = first;
  const handle = `ann${(count += 1)}` as Handle;
  await member.register({ link: await world.invite(), handle, name: 'Ann' });
  await online(member);
  const id = await member.addContact({ handle: 'bob' as Handle });
  const others: Tab[] = [];
  while (others.length < tabs - 1) others.push(await browser.tab());
  for (const { member: other } of others) await online(other);
  return { browser, all: [first, ...others], id };
};

/** What Bob has of the person of these tabs, once it is as much as that. */
const atBob = async (engine: Engine, many: number): Promise<string[]> => {
  const { me } = engine.getSnapshot();
  await until(
    bob.engine,
    ({ conversations }) => conversations.some(({ id }) => (id as string) === me!.account),
    'a chat',
  );
  const view = await chat(bob.engine, me!.account);
  try {
    await until(view, ({ messages }) => messages.length >= many, `${many} messages`);
    return texts(view);
  } finally {
    view.close();
  }
};

test('three tabs are live: each sends, each sees what the others sent and what came', async () => {
  const { all, id } = await opened(3);
  const views = await Promise.all(all.map(({ member }) => chat(member, id)));
  for (const [index, { member }] of all.entries()) await send(member, id, `from ${index}`);
  const expected = ['from 0', 'from 1', 'from 2'];
  expect(await atBob(all[0]!.member, 3)).toEqual(expected);
  const { account } = all[0]!.member.getSnapshot().me!;
  await bob.engine.send(account as string as ConversationId, 'answer');
  for (const view of views) {
    await until(view, ({ messages }) => messages.length === 4, 'the answer');
    expect(texts(view)).toEqual([...expected, 'answer']);
  }
  for (const { member } of all) {
    expect(member.getSnapshot().conversations[0]).toMatchObject({ unread: 1, last: { text: 'answer' } });
  }
});

test('whoever asked sees what came of it at once, in a tab that is not the writer too', async () => {
  const { all, id } = await opened(2);
  const expected: string[] = [];
  for (const { member } of all) {
    const view = await chat(member, id);
    expected.push(`mine ${expected.length}`);
    await send(member, id, expected.at(-1)!);
    expect(texts(view)).toEqual(expected);
  }
});

test('a tab that missed what the writer told reads everything anew', async () => {
  const { all, id } = await opened(2);
  const [writer, follower] = [all[0]!, all[1]!];
  const view = await chat(follower.member, id);
  follower.deafen(true);
  await send(writer.member, id, 'missed');
  const shown = await chat(writer.member, id);
  await until(shown, ({ messages }) => messages[0]?.status === 'sent', 'nothing under way');
  // What was said of it is on its way and is to be lost as well.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(texts(view)).toEqual([]);
  follower.deafen(false);
  await send(writer.member, id, 'heard');
  await until(view, ({ messages }) => messages.length === 2, 'both');
  expect(texts(view)).toEqual(['missed', 'heard']);
});

test('without a tab, who is woken fetches and sends what waits; with one it does nothing', async () => {
  const { browser, all, id } = await opened(1);
  const { account } = all[0]!.member.getSnapshot().me!;
  await send(all[0]!.member, id, 'first');
  await atBob(all[0]!.member, 1);
  expect(await browser.wake()).toBe('busy');
  await all[0]!.member.close();
  await bob.engine.send(account as string as ConversationId, 'while nobody is here');
  const view = await chat(bob.engine, account);
  await until(view, ({ messages }) => messages.at(-1)?.status === 'sent', 'it at the relay');
  expect(await browser.wake()).toBe('done');
  await until(view, ({ messages }) => messages.at(-1)?.status === 'delivered', 'a receipt');
  view.close();
  const { member } = await browser.tab();
  expect(texts(await chat(member, id))).toEqual(['first', 'while nobody is here']);
});

test('who is woken makes way for a tab that opens', async () => {
  const { browser, all, id } = await opened(1);
  await all[0]!.member.close();
  const waking = browser.wake();
  const { member } = await browser.tab();
  await send(member, id, 'from the tab');
  expect(['asked', 'done']).toContain(await waking);
  await online(member);
});

test('a tab that is not the writer hears why a command was refused', async () => {
  const { all, id } = await opened(2);
  await expect(send(all[1]!.member, id, ' ')).rejects.toMatchObject({ name: 'EngineError', code: 'empty' });
});

test('the writer goes in the middle of a batch: nothing is lost, nothing is done twice', async () => {
  const { all, id } = await opened(3);
  const view = await chat(all[2]!.member, id);
  const expected: string[] = [];
  const sending: Promise<void>[] = [];
  for (let index = 0; index < 40; index += 1) {
    expected.push(`m${index}`);
    sending.push(send(all[2]!.member, id, `m${index}`));
    if (index === 20) await sending[10];
  }
  all[0]!.kill();
  await Promise.all(sending);
  expect(texts(view)).toEqual(expected);
  await until(view, ({ messages }) => messages.every(({ status }) => status !== 'waiting'), 'all sent');
  expect(await atBob(all[2]!.member, 40)).toEqual(expected);
  expect(texts(view)).toHaveLength(40);
});

test('a frozen writer is replaced by a tab that somebody looks at; when it thaws it follows', async () => {
  const { all, id } = await opened(2);
  const [frozen, seen] = [all[0]!, all[1]!];
  const view = await chat(frozen.member, id);
  frozen.freeze();
  const early = send(seen.member, id, 'while frozen');
  await seen.member.setVisible(true);
  await early;
  expect(await atBob(seen.member, 1)).toEqual(['while frozen']);
  const stuck = send(frozen.member, id, 'from the frozen one');
  frozen.thaw();
  await stuck;
  await until(view, ({ messages }) => messages.length === 2, 'both messages');
  await send(seen.member, id, 'and on');
  await until(view, ({ messages }) => messages.length === 3, 'the third');
  expect(await atBob(seen.member, 3)).toEqual(['while frozen', 'from the frozen one', 'and on']);
  expect(frozen.member.getSnapshot().phase).toBe('ready');
});

test('a tab that nobody looks at takes nothing from a frozen writer', async () => {
  const { all, id } = await opened(2);
  all[0]!.freeze();
  await all[1]!.member.setVisible(true);
  await all[1]!.member.setVisible(false);
  let sent = false;
  const sending = send(all[1]!.member, id, 'later').then(() => (sent = true));
  await new Promise((resolve) => setTimeout(resolve, 5000));
  expect(sent).toBe(false);
  all[0]!.thaw();
  await sending;
  expect(await atBob(all[1]!.member, 1)).toEqual(['later']);
});

test('a tab that missed something while it was frozen catches up', async () => {
  const { all, id } = await opened(2);
  const view = await chat(all[1]!.member, id);
  all[1]!.freeze();
  for (let index = 0; index < 5; index += 1) await send(all[0]!.member, id, `m${index}`);
  expect(texts(view)).toEqual([]);
  all[1]!.thaw();
  await until(view, ({ messages }) => messages.length === 5, 'what was missed');
});

test('a tab shows what the writer knows and does not store', async () => {
  const { all, id } = await opened(2);
  await online(all[1]!.member);
  all[0]!.kill();
  // The next writer connects by itself.
  await send(all[1]!.member, id, 'from the next');
  expect(await atBob(all[1]!.member, 1)).toEqual(['from the next']);
  await online(all[1]!.member);
});

test('a second tab beside one without an account sees it come', async () => {
  const browser = createBrowser(world.relay.url);
  browsers.push(browser);
  const [first, second] = [await browser.tab(), await browser.tab()];
  expect(second.member.getSnapshot().phase).toBe('new');
  await second.member.register({
    link: await world.invite(),
    handle: 'twotabs' as Handle,
    name: 'Two',
  });
  for (const { member } of [first, second]) {
    const { me } = await until(member, ({ phase }) => phase === 'ready');
    expect(me?.handle).toBe('twotabs');
  }
});
