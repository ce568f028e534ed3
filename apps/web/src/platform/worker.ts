import { connect } from '@sotto/engine/remote/client';
import type { PageEngine } from '../app/page-engine.ts';

/** Starts the worker of this page; resolves when it can show what is stored. Rejects with what kept it from that. */
export const startEngine = async (url: string): Promise<PageEngine> => {
  const worker = new Worker(url, { type: 'module', name: 'engine' });
  const broken = new Promise<never>((_, reject) => {
    worker.addEventListener('error', () => reject(new Error('the worker did not start')), { once: true });
  });
  const engine = await Promise.race([connect<PageEngine>(worker), broken]);
  const tell = (): void => void engine.setVisible(document.visibilityState === 'visible');
  document.addEventListener('visibilitychange', tell);
  tell();
  return engine;
};
