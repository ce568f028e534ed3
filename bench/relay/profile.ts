import { readFileSync } from 'node:fs';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

/** `socket.io/dist/socket.js:448`, or the end of the path. */
const placeOf = (url: string, line: number): string => {
  const short = url.includes('/node_modules/')
    ? url.replace(/^.*\/node_modules\//, '')
    : url.replace(/^.*\//, '');
  return short && `${url.startsWith('node:') ? url : short}:${line + 1}`;
};

/** The functions in which most time went by, as lines. */
export const topFunctions = (file: string, count: number): string[] => {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const named = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'}  ${placeOf(url, lineNumber)}`,
    ]),
  );
  const own = new Map<string, number>();
  let total = 0;
  for (const [index, sample] of samples.entries()) {
    const name = named.get(sample)!;
    if (name.startsWith('(idle)')) continue;
    const time = timeDeltas[index] ?? 0;
    total += time;
    own.set(name, (own.get(name) ?? 0) + time);
  }
  return [...own]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
};
