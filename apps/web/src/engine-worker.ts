import './jitless.ts';
import { serve } from '@sotto/engine/remote/host';
import { openMember } from '@sotto/engine/remote/member';
import { openReader } from '@sotto/store-idb/open-store';
import type { PageEngine } from './app/page-engine.ts';
import { openChannel } from './platform/store-channel.ts';
import { storeLock } from './platform/store-lock.ts';
import { canKeepKeys } from './platform/support.ts';

// What is stored can be shown without it.
const loadEngine = () => import('./platform/open-engine.ts');

const open = async (): Promise<PageEngine> => {
  const channel = openChannel();
  const member = await openMember({
    lock: storeLock,
    channel,
    openReader: (onLost) => openReader({ onLost }),
    openEngine: async (hooks) => (await loadEngine()).openEngine(hooks),
  });
  // Also where another tab has the lock: by the time it is free, an update may have taken the file away.
  loadEngine().catch(() => undefined);
  return { ...member, canKeepKeys };
};

serve(globalThis as unknown as DedicatedWorkerGlobalScope, open());
