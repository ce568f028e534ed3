import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** What a relay under measure says of itself. */
export interface Usage {
  /** Seconds since it started, user and system. */
  cpu: number;
  /** Bytes. */
  rss: number;
}

type Question = 'usage' | 'gc' | 'profile' | 'profiled' | 'stop';

/**
 * Tells the parent where this relay listens, then answers until `stop` with its usage: at once, after a collection, when it
 * has begun to take a profile, and when it has written that into the folder that it runs in.
 */
export const answerParent = (port: number): void => {
  const usage = (): Usage => {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1e6, rss: process.memoryUsage.rss() };
  };
  let session: Session | undefined;
  const answer = async (question: Question): Promise<void> => {
    // Not more orderly: what is stored is nobody's.
    if (question === 'stop') process.exit(0);
    if (question === 'gc') for (let i = 0; i < 3; i += 1) globalThis.gc?.();
    if (question === 'profile') {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
    }
    if (question === 'profiled') {
      const { profile } = await session!.post('Profiler.stop');
      writeFileSync('relay.cpuprofile', JSON.stringify(profile));
      session!.disconnect();
    }
    process.send!(usage());
  };
  process.on('message', (question: Question) => void answer(question));
  process.on('disconnect', () => process.exit(0));
  process.send!({ port });
};
