import '../jitless.ts';
import { createEngine } from '@sotto/engine/engine';
import type { OpenEngine } from '@sotto/engine/remote/writer';
import { openStore } from '@sotto/store-idb/open-store';
import { createTransport } from '@sotto/transport/transport';

/** The engine on this browser's store and this page's relay, for whoever holds the store's lock. */
export const openEngine: OpenEngine = async ({ onCommit, onLive }) => {
  const store = await openStore();
  try {
    const transport = createTransport({ origin: location.origin });
    return { engine: await createEngine({ store, transport, onCommit, onLive }), term: store.generation };
  } catch (error) {
    store.close();
    throw error;
  }
};
