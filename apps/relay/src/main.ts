#!/usr/bin/env node
import { runCommand, USAGE } from './admin.ts';
import { readConfig } from './config.ts';
import { createRelay } from './relay.ts';
import { StartError } from './start-error.ts';

const fail = (error: unknown): never => {
  // The system's own errors name the file or the address; anything else is a fault of ours and shows its way.
  const plain = error instanceof StartError || (error instanceof Error && 'syscall' in error);
  console.error(plain ? error.message : error);
  process.exit(1);
};

const serve = async (): Promise<void> => {
  const config = readConfig();
  let end = (_failure?: unknown): void => process.exit(0);
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end());
  // Until the database is up there is nothing to lose; once it may be up, it is not left behind.
  const starting = createRelay(config, (error) => end(error));
  let ending = false;
  end = (failure) => {
    // Asked twice: at once. The next start takes the database over.
    if (ending) process.exit(1);
    ending = true;
    starting.then((relay) => relay.close()).then(() => (failure ? fail(failure) : process.exit(0)), fail);
  };
  const relay = await starting;
  if (ending) return;
  const link = await relay.firstInvite().catch((error: unknown) => {
    // Asked to end meanwhile: the database is no longer there to ask.
    if (!ending) throw error;
  });
  if (ending) return;
  console.log(`Sotto is ready: ${relay.url}`);
  if (link) console.log(`The first person registers here, once: ${link}`);
};

const command = async (args: string[]): Promise<void> => {
  const answer = await runCommand(args, readConfig());
  if (answer === undefined) throw new StartError('config-invalid', USAGE);
  console.log(answer);
};

const args = process.argv.slice(2);
await (args.length > 0 ? command(args) : serve()).catch(fail);
