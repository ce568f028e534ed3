import type { Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { choose, openSettings } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

type Arrive = (name: string) => Promise<Person>;

/** Ann, and those whom she invited, each of whom has written to her and has an answer. */
const friends = async (invite: string, person: Arrive, names: readonly string[]) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, invite, 'ann');
  const everybody = [ann];
  const all: Sotto[] = [anns];
  for (const name of names) {
    const friend = await person(name);
    everybody.push(friend);
    const theirs = await Sotto.join(friend, await anns.invite(), name.toLowerCase());
    await theirs.open('ann');
    await theirs.send(`I am ${name}`);
    await anns.open(name);
    await anns.send(`Hello ${name}`);
    await expect(theirs.message(`Hello ${name}`)).toBeVisible();
    all.push(theirs);
  }
  return { everybody, all: all as [Sotto, Sotto, Sotto, Sotto] };
};

const makeGroup = async ({ page }: Sotto, title: string, members: readonly string[]): Promise<void> => {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'New group' }).click();
  await page.getByLabel('Name of the group').fill(title);
  for (const name of members) await page.getByRole('checkbox', { name: new RegExp(name) }).check();
  await page.getByRole('button', { name: 'Make the group' }).click();
  await expect(page.getByRole('heading', { name: title, exact: true })).toBeVisible();
};

const about = ({ page }: Sotto, title: string): Promise<void> =>
  page.getByRole('link', { name: `About ${title}` }).click();

const toChat = ({ page }: Sotto): Promise<void> => page.getByRole('link', { name: 'To the chat' }).click();

const member = ({ page }: Sotto, name: string) =>
  page.getByRole('main').locator('.member').filter({ hasText: name });

const ofMember = async (sotto: Sotto, name: string, deed: string): Promise<void> => {
  await member(sotto, name).getByRole('button', { name: 'Actions for' }).click();
  await sotto.page.getByRole('menuitem', { name: deed }).click();
};

const answer = ({ page }: Sotto, action: string): Promise<void> =>
  page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();

const line = ({ log }: Sotto, text: string | RegExp) =>
  log.locator('.message-note').filter({ hasText: text });

test('four people: who wrote, who did what, how far it came', async ({ relay, person }) => {
  test.setTimeout(300_000);
  const { everybody, all } = await friends(relay.invite, person, ['Bob', 'Cid', 'Dan']);
  const [anns, bobs, cids, dans] = all;
  await makeGroup(anns, 'Trip', ['Bob', 'Cid']);
  await expect(line(anns, 'You made the group')).toBeVisible();
  await expect(line(anns, /You added (?:Bob and Cid|Cid and Bob)/)).toBeVisible();
  await anns.send('Who comes along?');

  await expect(bobs.chat('Trip')).toContainText('Who comes along?');
  await bobs.open('Trip');
  await expect(line(bobs, 'added you and')).toBeVisible();
  await expect(bobs.message('Who comes along?')).toContainText('Ann');
  await bobs.send('I do');
  const details = async (text: string): Promise<void> => {
    await anns.message(text).hover();
    await anns.message(text).getByRole('button', { name: 'What to do with this message' }).click();
    await anns.page.getByRole('menuitem', { name: 'Details' }).click();
  };
  const region = (name: string) => anns.page.getByRole('dialog').getByRole('region', { name });
  // Cid has it, and has not looked.
  await details('Who comes along?');
  await expect(region('Read by')).toContainText('Bob');
  await expect(region('Delivered to')).toContainText('Cid');
  await expectSound(anns.page, 'details in a group');
  await anns.page.keyboard.press('Escape');
  await cids.open('Trip');
  await expect(cids.message('I do').getByText('Bob', { exact: true })).toBeVisible();
  await cids.send('So do I');
  for (const sotto of [anns, bobs]) await expect(sotto.message('So do I')).toContainText('Cid');
  await expect(anns.chat('Trip')).toContainText('Cid: So do I');

  // How far it came, one by one.
  await anns.expectStatus('Who comes along?', 'Read');
  await details('Who comes along?');
  await expect(region('Read by').getByRole('listitem')).toHaveCount(2);
  await expect(region('Read by').locator('time')).toHaveText([/\d:\d\d/, /\d:\d\d/]);
  await expect(region('Delivered to')).toBeHidden();
  await anns.page.keyboard.press('Escape');

  // Dan is added, and does not see what was written before.
  await about(anns, 'Trip');
  await anns.page.getByRole('button', { name: 'Add members' }).click();
  await anns.page.getByRole('checkbox', { name: /Dan/ }).check();
  await answer(anns, 'Add');
  await expect(anns.page.getByRole('heading', { name: '4 members' })).toBeVisible();
  await dans.open('Trip');
  await expect(line(dans, 'added you')).toBeVisible();
  await expect(dans.message('So do I')).toBeHidden();
  await expect(line(cids, 'Ann added Dan')).toBeVisible();
  await dans.send('Made it');
  await expect(cids.message('Made it')).toContainText('Dan');

  // Renamed and described, which all of them read.
  await anns.page.getByRole('button', { name: 'Edit name and description' }).click();
  await anns.page.getByLabel('Name of the group').fill('Lake');
  await anns.page.getByRole('textbox', { name: 'Description' }).fill('Two days in June');
  await answer(anns, 'Save');
  await expect(cids.chat('Lake')).toBeVisible();
  await expect(line(cids, 'Ann named the group “Lake”')).toBeVisible();
  await about(cids, 'Lake');
  await expect(cids.page.getByText('Two days in June')).toBeVisible();
  await expect(cids.page.getByRole('button', { name: 'Add members' })).toBeHidden();
  const edit = cids.page.getByRole('button', { name: 'Edit name and description' });
  await expect(edit).toBeHidden();
  await switched(anns, 'Members change name and description').check();
  await expect(edit).toBeVisible();

  // Bob becomes an admin and removes Dan.
  await ofMember(anns, 'Bob', 'Make an admin');
  await about(bobs, 'Lake');
  await expect(member(bobs, '@bob')).toContainText('Admin');
  await ofMember(bobs, 'Dan', 'Remove from the group');
  await answer(bobs, 'Remove');
  await expect(bobs.page.getByRole('heading', { name: '3 members' })).toBeVisible();
  await expect(dans.page.getByText('You are not in this group any more.')).toBeVisible();
  await expect(dans.composer).toBeHidden();
  await toChat(anns);
  await expect(line(anns, 'Bob removed Dan')).toBeVisible();

  // He comes in once more, and this time is sent what was written.
  await about(anns, 'Lake');
  await anns.page.getByRole('button', { name: 'Add members' }).click();
  await anns.page.getByRole('checkbox', { name: /Dan/ }).check();
  await anns.page.getByRole('combobox', { name: 'What was written before' }).selectOption('last');
  await expectSound(anns.page, 'adding members');
  await answer(anns, 'Add');
  await expect(dans.message('So do I')).toContainText('Shared by Ann');

  // An admin for a while.
  await ofMember(anns, 'Cid', 'Make an admin');
  await expect(member(anns, '@cid')).toContainText('Admin');
  await ofMember(anns, 'Cid', 'Make an ordinary member');
  await expect(member(anns, '@cid')).not.toContainText('Admin');

  // A timer is for everybody.
  await anns.page.getByRole('button', { name: 'Disappearing messages' }).click();
  await anns.page.getByRole('dialog').getByLabel('5 minutes').check();
  await answer(anns, 'Set');
  await toChat(anns);
  await anns.send('Not for long');
  for (const sotto of [anns, dans])
    await expect(sotto.message('Not for long').getByTitle(/Goes (?:in|after) /)).toBeVisible();

  // Announcements: only admins write.
  await bobs.page.getByRole('switch', { name: 'Only admins write' }).check();
  await toChat(cids);
  await expect(cids.page.getByText('In this group only admins write.')).toBeVisible();
  await expect(line(cids, 'Bob let only admins write')).toBeVisible();
  await toChat(bobs);
  await bobs.send('Bring a towel');
  await expect(cids.message('Bring a towel')).toBeVisible();
  // The others react.
  await cids.message('Bring a towel').locator('.message-bubble').click({ button: 'right' });
  await expect(cids.page.getByRole('menuitem', { name: 'Reply' })).toBeHidden();
  await cids.page.getByRole('menuitem', { name: 'React with 👍' }).click();
  await bobs.message('Bring a towel').getByRole('button', { name: '👍 from 1 person' }).click();
  await cids.message('Bring a towel').getByRole('button', { name: '👍 from 2 people, you too' }).click();
  await expect(bobs.message('Bring a towel').getByRole('button', { name: '👍 from you' })).toBeVisible();
  await details('Bring a towel');
  await expect(region('Reactions').getByRole('listitem')).toHaveText([/Bob👍$/]);
  await anns.page.keyboard.press('Escape');

  // An owner alone hands over first; then goes.
  await about(anns, 'Lake');
  await anns.page.getByRole('button', { name: 'Leave the group' }).click();
  await expect(anns.page.getByRole('dialog')).toContainText('Hand the group over to somebody first');
  await answer(anns, 'All right');
  await ofMember(anns, 'Bob', 'Hand over the group');
  await answer(anns, 'Hand over');
  await expect(member(anns, '@bob')).toContainText('Owner');
  await expect(member(anns, '@ann')).toContainText('Admin');
  await anns.page.getByRole('button', { name: 'Leave the group' }).click();
  await answer(anns, 'Leave the group');
  await expect(line(bobs, 'left the group')).toBeVisible();
  await expect(line(bobs, 'made you an owner')).toBeVisible();

  // All of it is there again after a start, and without the relay.
  for (const one of everybody) one.expectFailures();
  await relay.stop();
  await bobs.page.reload();
  await expect(line(bobs, 'left the group')).toBeVisible();
  await expect(bobs.message('Made it')).toContainText('Dan');
  await relay.start();
});

test('who writes in a group is told by name, unless they keep it to themselves', async ({
  relay,
  person,
}) => {
  test.setTimeout(240_000);
  const { all } = await friends(relay.invite, person, ['Bob', 'Cid']);
  const [anns, bobs, cids] = all;
  await makeGroup(anns, 'Trip', ['Bob', 'Cid']);
  await anns.send('Who comes along?');
  for (const sotto of [bobs, cids]) {
    await sotto.open('Trip');
    await expect(sotto.message('Who comes along?')).toBeVisible();
    // Whose key the others do not have yet cannot prove that it is they who write.
    await sotto.send(`I am here, says ${sotto === bobs ? 'Bob' : 'Cid'}`);
    await expect(anns.message('I am here').last()).toBeVisible();
  }
  await expect(anns.message('I am here')).toHaveCount(2);
  const told = anns.page.locator('.conversation-head .conversation-typing');
  /** It is said once, and forgotten after a few seconds. */
  const write = async ({ composer }: Sotto, text: string): Promise<void> => {
    await composer.fill('');
    await composer.pressSequentially(text);
  };
  await write(bobs, 'I');
  await expect(told).toHaveText('Bob is writing…');
  await expect(anns.chat('Trip')).toContainText('typing…');
  await expect(async () => {
    await write(bobs, 'I');
    await write(cids, 'So');
    const both = /Bob and Cid are writing…|Cid and Bob are writing…/;
    await expect(told).toHaveText(both, { timeout: 2000 });
  }).toPass();
  // What they wrote ends it.
  await bobs.send('I do');
  await expect(async () => {
    await write(cids, 'So');
    await expect(told).toHaveText('Cid is writing…', { timeout: 2000 });
  }).toPass();
  await cids.send('So do I');
  await expect(told).toBeHidden();

  await openSettings(bobs.page);
  await choose(bobs.page, 'Typing', 'Nobody');
  await bobs.open('Trip');
  await bobs.composer.pressSequentially('silent');
  await cids.composer.pressSequentially('I');
  await expect(told).toHaveText('Cid is writing…');
});

test('a stranger’s group is a request: declined, joined, or its sender blocked', async ({
  relay,
  person,
}) => {
  test.setTimeout(240_000);
  const { all } = await friends(relay.invite, person, ['Bob', 'Cid']);
  const [, bobs, cids] = all;
  // Bob knows Cid’s handle and nothing more.
  await bobs.page.getByRole('button', { name: 'New chat' }).click();
  await bobs.page.getByLabel('Handle or link').fill('cid');
  await bobs.page.getByRole('button', { name: 'Start chat' }).click();
  await expect(bobs.page.getByRole('heading', { name: 'cid' })).toBeVisible();
  await makeGroup(bobs, 'Bargains', ['cid']);
  await bobs.send('Buy something');
  await makeGroup(bobs, 'Choir', ['cid']);
  await makeGroup(bobs, 'Lottery', ['cid']);
  await bobs.send('You have won');

  await cids.page.getByRole('link', { name: '3 message requests' }).click();
  const request = (title: string) =>
    cids.page.getByRole('main').getByRole('listitem').filter({ hasText: title });
  await expect(request('Bargains')).toContainText('Group with 2 members, added by Bob');
  await request('Bargains').getByRole('button', { name: 'Decline' }).click();
  await answer(cids, 'Decline');
  await expect(request('Bargains')).toBeHidden();
  await bobs.open('Bargains');
  await expect(line(bobs, 'left the group')).toBeVisible();
  await request('Choir').getByRole('link').click();
  await expect(cids.page.getByRole('heading', { name: 'You were added to “Choir”' })).toBeVisible();
  await cids.page.getByRole('button', { name: 'Join' }).click();
  await cids.send('Which song?');
  await bobs.open('Choir');
  await expect(bobs.message('Which song?')).toBeVisible();

  await cids.page.getByRole('link', { name: '1 message request' }).click();
  await request('Lottery').getByRole('button', { name: 'Block' }).click();
  const dialog = cids.page.getByRole('dialog', { name: 'Block Bob?' });
  await expect(dialog).toContainText('You leave the group');
  await expectSound(cids.page, 'who added one is blocked');
  await dialog.getByRole('button', { name: 'Block' }).click();
  await expect(cids.page.getByText('No requests are waiting.')).toBeVisible();
  await expect(cids.chat('Bob')).toBeHidden();
  await bobs.open('Lottery');
  await expect(line(bobs, 'left the group')).toBeVisible();
});

interface ChannelAnswer {
  epoch: number;
  entries: unknown[];
  members: { account: string; admin: boolean }[];
}

/** Has the relay say something else of a group to one browser. */
const lie = (page: Page, change: (answer: ChannelAnswer) => void) =>
  page.context().route(/\/v1\/channels\/[\w-]+(?:\?.*)?$/, async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const response = await route.fetch();
    const answer = await response.json();
    change(answer);
    return route.fulfill({ response, json: answer });
  });

const switched = ({ page }: Sotto, name: string) => page.getByRole('switch', { name });

test('A2 a relay whose list is another than the members’: the group stops, and says so', async ({
  relay,
  person,
}) => {
  test.setTimeout(300_000);
  const { all } = await friends(relay.invite, person, ['Bob', 'Cid']);
  const [anns, bobs] = all;
  const [row] = await relay.query<{ account: Buffer }>(
    'SELECT id AS account FROM account WHERE handle = $1',
    ['cid'],
  );
  const cid = row!.account.toString('base64url');
  const lies: [group: string, members: string[], change: (answer: ChannelAnswer) => void][] = [
    ['Adds', ['Bob'], ({ members }) => void members.push({ account: cid, admin: false })],
    [
      'Leaves out',
      ['Bob', 'Cid'],
      (answer) => {
        answer.members = answer.members.filter(({ account }) => account !== cid);
      },
    ],
    [
      'Promotes',
      ['Bob', 'Cid'],
      ({ members }) => {
        for (const one of members) if (one.account === cid) one.admin = true;
      },
    ],
  ];
  for (const [group, members, change] of lies) {
    await anns.open('Bob');
    await makeGroup(anns, group, members);
    await anns.send(`For us in ${group}`);
    await bobs.open(group);
    await expect(bobs.message(`For us in ${group}`)).toBeVisible();
    await lie(bobs.page, change);
    // Anything that is changed makes everybody look at the list.
    await about(anns, group);
    await switched(anns, 'Members add others').check();
    const notice = bobs.page.getByRole('region', { name: 'This group has stopped' });
    await expect(notice).toContainText('leaves somebody out, or calls somebody an admin who is none');
    if (group === 'Adds') await expectSound(bobs.page, 'a list that is not the members’');
    await expect(bobs.composer).toBeHidden();
    await expect(bobs.message(`For us in ${group}`)).toBeVisible();
    await notice.getByRole('link', { name: 'See the members' }).click();
    await expect(bobs.page.getByRole('heading', { name: `${members.length + 1} members` })).toBeVisible();
    await expect(bobs.page.getByRole('button', { name: 'Add members' })).toBeHidden();
    await bobs.page.context().unrouteAll({ behavior: 'ignoreErrors' });
  }
  await bobs.chat('Adds').click();
  await about(bobs, 'Adds');
  await bobs.page.getByRole('button', { name: 'Leave the group' }).click();
  await expect(bobs.page.getByRole('dialog')).toContainText('Others may still see you on its list');
  await answer(bobs, 'Leave the group');
  await bobs.chat('Adds').click();
  await expect(bobs.page.getByText('You are not in this group any more.')).toBeVisible();
});

/** What Ann did last in her groups has not reached anybody yet, and is done away with. */
const LOSE_NOTICES = 'DELETE FROM envelope WHERE post IS NOT NULL AND acked_day IS NULL';
const TAKE_BACK = [
  'DELETE FROM channel_entry WHERE (channel, epoch) IN (SELECT id, epoch FROM channel)',
  'UPDATE channel SET epoch = epoch - 1',
];
/** The newest entry is the one before it once more. */
const REPEAT_ENTRY = `UPDATE channel_entry AS newest SET entry = before.entry
  FROM channel_entry AS before, channel
  WHERE channel.id = newest.channel AND newest.epoch = channel.epoch
    AND before.channel = newest.channel AND before.epoch = newest.epoch - 1`;

test('A2 a relay that tells two histories, or makes up a change: the group stops, and says so', async ({
  relay,
  person,
}) => {
  test.setTimeout(240_000);
  const { all } = await friends(relay.invite, person, ['Bob']);
  const [anns, bobs] = all;
  await makeGroup(anns, 'Trip', ['Bob']);
  await anns.send('For us two');
  await bobs.open('Trip');
  await expect(bobs.message('For us two')).toBeVisible();
  await about(anns, 'Trip');
  await ofMember(anns, 'Bob', 'Make an admin');
  await expect(line(bobs, 'made you an admin')).toBeVisible();

  // While Bob is away Ann changes something, which the relay then knows nothing of.
  await bobs.page.goto('about:blank');
  await switched(anns, 'Members add others').check();
  await expect(anns.chat('Trip')).toContainText('You let all members add others');
  for (const sql of [LOSE_NOTICES, ...TAKE_BACK]) await relay.query(sql);
  await bobs.page.goto(relay.url);
  await bobs.open('Trip');
  await about(bobs, 'Trip');
  await switched(bobs, 'Admins delete for everyone').check();
  await toChat(anns);
  const stopped = ({ page }: Sotto) => page.getByRole('region', { name: 'This group has stopped' });
  await expect(stopped(anns)).toContainText('Members were shown different histories of this group.');
  await expectSound(anns.page, 'two histories');
  await expect(anns.composer).toBeHidden();
  await expect(anns.message('For us two')).toBeVisible();

  await anns.open('Bob');
  await makeGroup(anns, 'Choir', ['Bob']);
  await expect(bobs.chat('Choir')).toBeVisible();
  await bobs.page.goto('about:blank');
  await about(anns, 'Choir');
  await switched(anns, 'Members add others').check();
  await expect(anns.chat('Choir')).toContainText('You let all members add others');
  for (const sql of [LOSE_NOTICES, REPEAT_ENTRY]) await relay.query(sql);
  await bobs.page.goto(relay.url);
  await bobs.chat('Choir').click();
  await expect(stopped(bobs)).toContainText('a change of this group that nobody who may do so has made');
  await expectSound(bobs.page, 'a change that nobody made');
  await expect(bobs.composer).toBeHidden();
});

test('A2 a relay that withholds a change: what waits for it is told of, until it comes', async ({
  relay,
  person,
}) => {
  test.setTimeout(240_000);
  const { everybody, all } = await friends(relay.invite, person, ['Bob']);
  const [anns, bobs] = all;
  await makeGroup(anns, 'Trip', ['Bob']);
  await anns.send('For us two');
  await bobs.open('Trip');
  await expect(bobs.message('For us two')).toBeVisible();
  await bobs.page.goto('about:blank');
  await about(anns, 'Trip');
  await switched(anns, 'Members add others').check();
  await expect(anns.chat('Trip')).toContainText('You let all members add others');
  await relay.query(LOSE_NOTICES);
  await lie(bobs.page, (answer) => {
    answer.epoch -= answer.entries.length;
    answer.entries = [];
  });
  await toChat(anns);
  await anns.send('Do you see this?');
  await anns.expectStatus('Do you see this?', 'Sent');
  await anns.message('Do you see this?').locator('.message-bubble').click({ button: 'right' });
  await anns.page.getByRole('menuitem', { name: 'Details' }).click();
  await expect(anns.page.getByRole('region', { name: 'Not delivered yet to' })).toContainText('Bob');
  await anns.page.keyboard.press('Escape');
  await everybody[1]!.page.clock.install();
  await bobs.page.goto(relay.url);
  await bobs.open('Trip');
  const waiting = bobs.page.getByText('Messages are waiting for something that the relay has not delivered.');
  // It has waited for a minute, and something looks at the time once in a minute.
  await expect(async () => {
    await bobs.page.clock.fastForward(61_000);
    await expect(waiting).toBeVisible({ timeout: 1000 });
  }).toPass();
  await expect(bobs.message('Do you see this?')).toBeHidden();
  await bobs.page.context().unrouteAll({ behavior: 'ignoreErrors' });
  await anns.send('And this?');
  await expect(bobs.message('And this?')).toBeVisible();
  await expect(bobs.message('Do you see this?')).toBeVisible();
  await expect(waiting).toBeHidden();
  await expect(line(bobs, 'Ann let all members add others')).toBeVisible();
});
