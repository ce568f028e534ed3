// Answers every message with the same text, once. README.md says how to start it.
import { Handle } from '@sotto/contract/ids';
import { formatLink, parseLink } from '@sotto/contract/link';
import { createEngine } from '@sotto/engine/engine';
import { incoming } from '@sotto/engine/incoming';
import { createFileDisk } from '@sotto/store-file/file-store';
import { createTransport } from '@sotto/transport/transport';

const [file, address, handle = 'echo'] = process.argv.slice(2);
if (!file || !address) throw new Error('bot.ts <file> <invite link, or the address of the relay> [handle]');

const { origin } = new URL(address);
const store = await createFileDisk({ path: file }).open();
const engine = await createEngine({ store, transport: createTransport({ origin }) });

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void engine.close());

const link = parseLink(address);
if (engine.getSnapshot().phase === 'new') {
  if (!link) throw new Error('The first start needs an invite link.');
  await engine.register({ link, handle: Handle.parse(handle), name: 'Echo' });
}
const { contact } = engine.getSnapshot();
if (contact) console.log(`Write to me: ${formatLink(origin, { contact })}`);

for await (const { message, reply } of incoming(engine)) await reply(message.text);
