import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseLink } from '@sotto/contract/link';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { texts } from './meeting.ts';
import { createWorld, online, until, type World } from './world.ts';

const BOT = fileURLToPath(new URL('../../../examples/echo-bot/bot.ts', import.meta.url));

let world: World;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-echo-'));
  world = await createWorld();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

/** The bot on its file, and the link that it prints once it is ready. */
const startBot = async (address: string) => {
  const child = spawn(process.execPath, ['--import', 'tsx', BOT, join(folder, 'echo.store'), address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    contact: parseLink(line)!.contact!,
    async end(signal: NodeJS.Signals) {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill(signal);
      return (await ended)[0];
    },
  };
};

describe('the echo bot', () => {
  it('answers every message once, however often it is killed', async () => {
    const ann = await world.resident('ann');
    await online(ann.engine);
    let bot = await startBot(await world.relay.createInvite());
    const { contact } = bot;
    const withBot = await ann.engine.addContact(contact);
    const view = (await ann.engine.openConversation(withBot))!;
    const echoes = () => view.getSnapshot().messages.filter(({ mine }) => !mine);
    await ann.engine.send(withBot, 'hello');
    await until(view, () => echoes().length === 1, 'the echo');

    let sent = 1;
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 10; i += 1) await ann.engine.send(withBot, `message ${sent++}`);
      // In the middle of them: at another place each time.
      await until(view, () => echoes().length >= sent - 10 + round * 2, 'some echoes');
      expect(await bot.end('SIGKILL')).toBe(null);
      await ann.engine.send(withBot, `message ${sent++}`);
      bot = await startBot(world.relay.url);
      expect(bot.contact).toEqual(contact);
    }
    await until(view, () => echoes().length >= sent, 'all echoes');
    await ann.engine.send(withBot, 'goodbye');
    await until(view, () => texts(view).filter((text) => text === 'goodbye').length > 1, 'the last echo');
    const mine = view.getSnapshot().messages.filter((message) => message.mine);
    expect(echoes().map(({ text }) => text)).toEqual(mine.map(({ text }) => text));
    expect(await bot.end('SIGTERM')).toBe(0);
  }, 120_000);

  it('is short', async () => {
    expect((await readFile(BOT, 'utf8')).split('\n').length).toBeLessThan(60);
  });
});
