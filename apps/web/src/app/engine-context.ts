import type { Engine, EngineSnapshot } from '@sotto/engine/views';
import { createContext, useContext } from 'react';
import { useView } from './use-view.ts';

export const EngineContext = createContext<Engine | null>(null);

export const useEngine = (): Engine => {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error('no engine above this component');
  return engine;
};

export const useEngineSnapshot = (): EngineSnapshot => useView(useEngine());
