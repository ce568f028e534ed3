// The relay as it ships, in a process that tests may kill, without limits: they come from one address and in a hurry.
import { readConfig } from '../src/config.ts';
import { createRelay } from '../src/relay.ts';
import { UNLIMITED } from '../src/services/limits.ts';

// Unheard, it ends the process and says why.
const lost = (error: unknown): void => {
  throw error;
};
const migrationsFolder = process.env['MIGRATIONS']!;
const relay = await createRelay({ ...readConfig(), migrationsFolder, limits: UNLIMITED }, lost);
process.once('SIGTERM', () => void relay.close().then(() => process.exit(0)));
