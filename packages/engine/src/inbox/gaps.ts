import type { Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import type { PeerRow } from '../rows.ts';
import { requestRepair } from './repair.ts';

/** How long what others overtook may still come by itself, in ms. */
const PATIENCE_MS = 60_000;

const isShort = ({ missing = 0, asked = 0 }: PeerRow): boolean => missing > asked;

/** Asks devices for what others have overtaken, once for each that is missing. */
export const createGapWatch = (
  model: Model,
  clock: Clock,
  onStored: () => void,
  onError: (error: unknown) => void,
) => {
  const peers = new Map<string, [account: string, device: string]>();
  let cancel: (() => void) | undefined;
  let stopped = false;

  /** Something of these devices came: what is missing then is looked for a while later. */
  const note = (keys: Iterable<[account: string, device: string]>): void => {
    for (const key of keys) peers.set(key.join(' '), key);
    if (peers.size === 0 || cancel || stopped) return;
    cancel = clock.after(PATIENCE_MS, () => {
      cancel = undefined;
      void look();
    });
  };

  const look = async (): Promise<void> => {
    const keys = [...peers.values()];
    peers.clear();
    const later: [account: string, device: string][] = [];
    try {
      await model.change(async (draft) => {
        for (const [account, device] of keys) {
          const row = await draft.get('peer', [account, device]);
          if (!row || !isShort(row)) continue;
          if (!(await requestRepair(draft, { account, device }, clock.now()))) {
            later.push([account, device]);
            continue;
          }
          const next = (await draft.get('peer', [account, device]))!;
          draft.put('peer', { ...next, asked: row.missing! }, [account, device]);
        }
      });
      onStored();
      // It was asked for something lately: again after that.
      note(later);
    } catch (error) {
      onError(error);
    }
  };

  return {
    note,
    stop(): void {
      stopped = true;
      cancel?.();
    },
  };
};
