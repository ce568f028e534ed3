import type { Handle } from '../../packages/contract/src/ids.ts';
import { type Link, parseLink } from '../../packages/contract/src/link.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import type { Engine } from '../../packages/engine/src/views.ts';
import { createMemoryDisk } from '../../packages/store-memory/src/memory-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

/** With fewer nothing is said. */
const MANY = 28;

/** What is for one device alone takes a while from now on: keys do, posts to groups do not. */
const SLOW = [
  `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END'`,
  `CREATE TRIGGER slow BEFORE INSERT ON envelope FOR EACH ROW WHEN (NEW.post IS NULL) EXECUTE FUNCTION slow()`,
];

test('new keys for many: the conversation says so, and messages leave after them', async ({
  relay,
  person,
}) => {
  test.setTimeout(300_000);
  const anns = await Sotto.join(await person('Ann'), relay.invite, 'ann');
  const engines: Engine[] = [];
  /** Somebody without a screen. */
  const join = async (handle: string, link: Link): Promise<Engine> => {
    const transport = createTransport({ origin: relay.url });
    const engine = await createEngine({ store: createMemoryDisk().open(), transport });
    engines.push(engine);
    await engine.register({ link, handle: handle as Handle, name: handle });
    return engine;
  };
  try {
    const max = await join('max', parseLink(await anns.invite())!);
    for (let at = 0; at < MANY; at += 4) {
      const some = Array.from({ length: Math.min(4, MANY - at) }, (_, n) => `friend${at + n}`);
      const friends = some.map(async (handle) => join(handle, (await max.createInvite()).link));
      for (const friend of await Promise.all(friends)) await max.addContact(friend.getSnapshot().contact!);
    }
    const members = max.getSnapshot().conversations.map(({ peer }) => peer.account);
    const group = await max.createGroup({ title: 'Choir', members });
    const ann = max.getSnapshot().conversations.find(({ peer }) => peer.handle === 'ann')!.peer.account;
    await max.setRole(group, ann, 'admin');
    await anns.open('Choir');
    await expect(anns.log.getByText('made you an admin')).toBeVisible();
    await anns.send('Hello choir');
    const waits = (text: string) => anns.message(text).getByTitle('Waiting', { exact: true });
    await expect(waits('Hello choir')).toBeHidden();

    for (const sql of SLOW) await relay.query(sql);
    await anns.page.getByRole('link', { name: 'About Choir' }).click();
    const left = anns.page.getByText(/New keys are going out to the members: \d+ to go\./);
    await anns.page
      .locator('.member')
      .filter({ hasText: '@friend' })
      .first()
      .getByRole('button', { name: 'Actions for' })
      .click();
    await anns.page.getByRole('menuitem', { name: 'Remove from the group' }).click();
    await anns.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(left).toBeVisible();
    await anns.page.getByRole('link', { name: 'To the chat' }).click();
    await anns.send('A new song');
    await expect(left).toBeVisible();
    await expect(waits('A new song')).toBeAttached();
    await relay.query('DROP TRIGGER slow ON envelope');
    await expect(left).toBeHidden();
    await expect(waits('A new song')).toBeHidden();
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
});
