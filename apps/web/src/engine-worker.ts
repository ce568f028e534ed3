import { StoreError } from '@sotto/engine/ports';
import { serve } from '@sotto/engine/remote/host';
import { openMember } from '@sotto/engine/remote/member';
import type { OpenEngine } from '@sotto/engine/remote/writer';
import { openReader } from '@sotto/store-idb/open-store';
import type { PageEngine } from './app/page-engine.ts';
import { openChannel } from './platform/store-channel.ts';
import { storeLock } from './platform/store-lock.ts';
import { canKeepKeys } from './platform/support.ts';

/** In ms: a page that nobody sees draws nothing, and says so late. */
const DRAWING_MS = 500;

let drawn = (): void => undefined;
const isDrawn = new Promise<void>((resolve) => {
  drawn = resolve;
});

// What is stored can be shown without it.
const loadEngine = () => import('./platform/open-engine.ts');

const openEngine: OpenEngine = async (hooks) => {
  const loaded = await loadEngine().catch((cause: unknown) => {
    throw new StoreError('failed', { cause });
  });
  return loaded.openEngine(hooks);
};

const open = async (): Promise<PageEngine> => {
  const channel = openChannel();
  const member = await openMember({
    lock: storeLock,
    channel,
    openReader: (onLost) => openReader({ onLost }),
    // Also where another tab has the lock: by the time it is free, an update may have taken the file away.
    loadEngine: async () => {
      setTimeout(drawn, DRAWING_MS);
      await isDrawn;
      return loadEngine();
    },
    openEngine,
  });
  return { ...member, canKeepKeys, drawn: async () => drawn() };
};

serve(globalThis as unknown as DedicatedWorkerGlobalScope, open());
