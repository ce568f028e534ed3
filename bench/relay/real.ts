// The relay as it ships, but for its limits: what is measured comes from one address and at no human pace.
import { readConfig } from '../../apps/relay/src/config.ts';
import { createRelay } from '../../apps/relay/src/relay.ts';
import { UNLIMITED } from '../../apps/relay/src/services/limits.ts';
import { answerParent } from './probe.ts';

const relay = await createRelay({
  ...readConfig(),
  migrationsFolder: process.env['MIGRATIONS']!,
  limits: UNLIMITED,
});
answerParent(relay.port);
