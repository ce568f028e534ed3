import type { ConversationId } from '@sotto/contract/ids';
import type { SearchHit, SearchPlace } from '@sotto/engine/views';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';

/** Nobody waits for the result of half a word. */
const QUIET_MS = 150;

interface Hits {
  query: string;
  /** The newest first. */
  hits: readonly SearchHit[];
  more?: SearchPlace;
  indexing: boolean;
  failed?: string;
}

/** Messages of one conversation that have the words of `query`, and which of them is looked at. */
export const useHits = (conversation: ConversationId, query: string, onShow: (message: string) => void) => {
  const engine = useEngine();
  const [found, setFound] = useState<Hits>();
  const [at, setAt] = useState(0);
  const busy = useRef(false);
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') {
      setFound(undefined);
      return undefined;
    }
    let current = true;
    const timer = setTimeout(() => {
      engine.search(wanted, { conversation }).then(
        (result) => {
          if (!current) return;
          setFound({ query: wanted, ...result });
          setAt(0);
          const [first] = result.hits;
          if (first) onShow(first.message);
        },
        (error: unknown) =>
          current && setFound({ query: wanted, hits: [], indexing: false, failed: explain(error) }),
      );
    }, QUIET_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [engine, conversation, wanted, onShow]);

  /** One hit further: 1 to an older, -1 to a newer one. */
  const step = useCallback(
    async (by: 1 | -1): Promise<void> => {
      if (!found || found.hits.length === 0 || busy.current) return;
      let { hits } = found;
      const next = at + by;
      if (next >= hits.length && found.more) {
        busy.current = true;
        try {
          const older = await engine.search(found.query, { conversation, before: found.more });
          hits = [...hits, ...older.hits];
          setFound((now) => (now === found ? { ...older, query: found.query, hits } : now));
        } catch (error) {
          setFound((now) => (now === found ? { ...found, failed: explain(error) } : now));
        } finally {
          busy.current = false;
        }
      }
      const hit = hits[next];
      if (!hit) return;
      setAt(next);
      onShow(hit.message);
    },
    [engine, conversation, found, at, onShow],
  );
  return { found: wanted === '' ? undefined : found, at, step };
};
