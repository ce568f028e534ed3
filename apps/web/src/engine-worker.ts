import './jitless.ts';
import { serve } from '@sotto/engine/remote/host';
import { openMember } from '@sotto/engine/remote/member';
import type { OpenEngine } from '@sotto/engine/remote/writer';
import { openReader } from '@sotto/store-idb/open-store';
import type { PageEngine } from './app/page-engine.ts';
import { openChannel } from './platform/store-channel.ts';
import { storeLock } from './platform/store-lock.ts';
import { canKeepKeys } from './platform/support.ts';

/** What writes, encrypts and connects is loaded once what is stored can be shown, by the one worker that does it. */
const openEngine: OpenEngine = async (hooks) => (await import('./platform/open-engine.ts')).openEngine(hooks);

const open = async (): Promise<PageEngine> => {
  const channel = openChannel();
  const member = await openMember({
    lock: storeLock,
    channel,
    openReader: (onLost) => openReader({ onLost }),
    openEngine,
  });
  return { ...member, canKeepKeys };
};

serve(globalThis as unknown as DedicatedWorkerGlobalScope, open());
