import './jitless.ts';
import { serve } from '@sotto/engine/remote/host';
import { openMember } from '@sotto/engine/remote/member';
import { openReader } from '@sotto/store-idb/open-store';
import type { PageEngine } from './app/page-engine.ts';
import { openEngine } from './platform/open-engine.ts';
import { openChannel } from './platform/store-channel.ts';
import { storeLock } from './platform/store-lock.ts';
import { canKeepKeys } from './platform/support.ts';

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
