import type { SearchHit, SearchPlace } from '@sotto/engine/views';
import { useCallback, useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';

/** Nobody waits for the result of half a word. */
const QUIET_MS = 120;

export interface Found {
  query: string;
  hits: readonly SearchHit[];
  more?: SearchPlace;
  indexing: boolean;
  failed?: string;
}

/** Messages that have the words of `query`; what was found last stays until the next is there. */
export const useSearch = (query: string) => {
  const engine = useEngine();
  const [found, setFound] = useState<Found>();
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') {
      setFound(undefined);
      return undefined;
    }
    let current = true;
    const look = async (): Promise<void> => {
      try {
        const result = await engine.search(wanted);
        if (current) setFound({ query: wanted, ...result });
      } catch (error) {
        if (current) setFound({ query: wanted, hits: [], indexing: false, failed: explain(error) });
      }
    };
    const timer = setTimeout(() => void look(), QUIET_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [engine, wanted]);

  const loadMore = useCallback(async (): Promise<void> => {
    if (!found?.more) return;
    try {
      const next = await engine.search(found.query, { before: found.more });
      setFound((now) =>
        now === found ? { ...next, query: found.query, hits: [...found.hits, ...next.hits] } : now,
      );
    } catch (error) {
      setFound((now) => (now === found ? { ...found, failed: explain(error) } : now));
    }
  }, [engine, found]);

  return { found: found?.query === '' ? undefined : found, loadMore };
};
