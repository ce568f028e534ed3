import { connect } from '@sotto/engine/remote/client';
import type { PageEngine } from '../app/page-engine.ts';
import { whenIdle } from './idle.ts';

/** The engine in this page's worker, as soon as it can show what is stored. Rejects with what kept it from that. */
export const connectEngine = async (worker: Worker, broken: Promise<never>): Promise<PageEngine> => {
  const engine = await Promise.race([connect<PageEngine>(worker), broken]);
  const tell = (): void => void engine.setVisible(document.visibilityState === 'visible');
  document.addEventListener('visibilitychange', tell);
  tell();
  whenIdle(() => void engine.drawn());
  return engine;
};
