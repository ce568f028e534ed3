import { useEffect } from 'react';
import { useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';

/** Where a shortcut of the installed app leads to: on to the conversation with oneself. */
export const ToSelf = () => {
  const engine = useEngine();
  const ready = useEnginePart('phase') === 'ready';
  const navigate = useNavigate();
  useEffect(() => {
    if (!ready) return;
    const go = (path: string): void => void navigate(path, { replace: true });
    engine.noteToSelf().then(
      (id) => go(`/c/${id}`),
      () => go('/'),
    );
  }, [engine, ready, navigate]);
  return null;
};
