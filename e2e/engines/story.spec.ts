import type { RelayProcess } from '../fixtures/relay.ts';
import { Tab } from './tab.ts';
import { expect, test } from './test.ts';

const join = async (tab: Tab, link: string, name: string, handle: string): Promise<void> => {
  await tab.driven.goto(link);
  await tab.type(['input', 'Your name'], name);
  await tab.type(['input', 'Handle'], handle);
  await tab.click(['button', 'Join']);
  await tab.until(
    'Menu',
    () => document.querySelector('button[aria-label="Menu"], button[title="Menu"]') !== null,
  );
};

const invite = async (tab: Tab): Promise<string> => {
  await tab.click(['button', 'Invite someone']);
  const link = await tab.until('invite link', () =>
    [...document.querySelectorAll('input, textarea')]
      .map((field) => (field as HTMLInputElement).value)
      .find((value) => value.includes('#/join/')),
  );
  await tab.click(['button', 'Close']);
  return link;
};

const send = async (tab: Tab, text: string): Promise<void> => {
  await tab.type(['textarea, [role=textbox]', 'Message'], text);
  await tab.enter();
};

const texts = (tab: Tab) =>
  tab.run(() =>
    [...document.querySelectorAll('[role=log] .message-text')].map((element) => element.textContent),
  );

const status = (tab: Tab, text: string, wanted: string) =>
  tab.until(
    `"${text}" that is ${wanted}`,
    (said, title) =>
      [...document.querySelectorAll('[role=log] [data-id]')].some(
        (message) => message.textContent.includes(said) && message.querySelector(`[title="${title}"]`),
      ),
    text,
    wanted,
  );

/** Ann, and Bob whom she invited: he writes first, she has read it. */
const meet = async (relay: RelayProcess, person: () => Promise<Tab>) => {
  const [ann, bob] = [await person(), await person()];
  await join(ann, relay.invite, 'Ann', 'ann');
  await join(bob, await invite(ann), 'Bob', 'bob');
  await bob.click(['nav a', 'ann']);
  await send(bob, 'Is this thing on?');
  await ann.click(['nav a', 'Bob']);
  await status(bob, 'Is this thing on?', 'Read');
  return { ann, bob };
};

test('two people join, write to each other, and find it all after a reload', async ({
  relay,
  person,
}, testInfo) => {
  const { ann, bob } = await meet(relay, person);
  await send(ann, 'It is.');
  await bob.logs('It is.');
  await status(ann, 'It is.', 'Read');

  await ann.driven.reload();
  await ann.logs('It is.');
  expect(await texts(ann)).toEqual(['Is this thing on?', 'It is.']);
  await send(bob, 'Still there?');
  await status(bob, 'Still there?', 'Read');
  expect(await texts(ann)).toEqual(['Is this thing on?', 'It is.', 'Still there?']);
  for (const [name, tab] of Object.entries({ ann, bob }))
    await testInfo.attach(name, { body: await tab.driven.screenshot(), contentType: 'image/png' });
});

test('a second tab is live, and goes on when the first is closed', async ({ relay, person, engine }) => {
  const { ann, bob } = await meet(relay, person);
  const second = new Tab(await bob.driven.another());
  await second.driven.goto(await bob.run(() => location.href));
  await second.logs('thing on');
  await send(bob, 'from the first');
  await second.logs('from the first');
  const all = ['Is this thing on?', 'from the first'];
  // The driver of WebKitGTK clicks in the first tab alone.
  if (engine === 'firefox') {
    all.push('from the second');
    await send(second, 'from the second');
    await bob.logs('from the second');
  }
  // What it had not sent yet, the second sends.
  await bob.driven.closeTab();
  for (const text of all) await ann.logs(text);
  await send(ann, 'are you there?');
  await second.logs('are you there?');
  all.push('are you there?');
  // A message that the first tab handed in without hearing of it stands last until the second has handed it in again.
  const both = async () => [await texts(second), await texts(ann)];
  await expect.poll(both, { timeout: 45_000 }).toEqual([all, all]);
});
