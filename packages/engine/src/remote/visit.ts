import { type Clock, systemClock } from '../clock.ts';
import type { Live } from '../live.ts';
import type { Channel, Lock } from './channel.ts';
import { type OpenEngine, openWriter } from './writer.ts';

export interface VisitParts {
  lock: Lock;
  channel: Channel;
  openEngine: OpenEngine;
  clock?: Clock;
  /** In ms: then it ends, whatever waits. */
  limit: number;
}

/**
 * `busy`: a page is there, and looks after everything. `done`: what waited has come and gone. `asked`: a page that has
 * been opened wants the store. `late`: there is more to do.
 */
export type VisitEnd = 'busy' | 'done' | 'asked' | 'late';

const isDone = ({ phase, connection, catchingUp, unsent }: Live): boolean =>
  phase !== 'ready' || (connection === 'online' && !catchingUp && unsent === 0);

/**
 * For a worker without a page: where nobody is the writer, is it for as long as something waits at the relay or in the
 * outbox. Rejects with what kept the store from opening.
 */
export const visit = async ({
  lock,
  channel,
  openEngine,
  clock = systemClock,
  limit,
}: VisitParts): Promise<VisitEnd> => {
  const held = await lock.tryAcquire();
  if (!held) return 'busy';
  let end = (_: VisitEnd): void => undefined;
  const ended = new Promise<VisitEnd>((resolve) => {
    end = resolve;
  });
  const cancel = clock.after(limit, () => end('late'));
  void held.lost.then(() => end('asked'));
  try {
    const writer = await openWriter({
      channel,
      openEngine,
      onHello: () => end('asked'),
      hooks: {
        onCommit: () => undefined,
        onLive: (live) => isDone(live) && end('done'),
      },
    });
    const how = await ended;
    await writer.close();
    return how;
  } finally {
    cancel();
    held.release();
    channel.close();
  }
};
