// `npm run bench -- crypto`: the cryptography in Chromium and in Node, beside what it cannot do without and beside
// libsignal's native client. Run by scripts/bench.mjs.
import { chromium } from '@playwright/test';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, serve } from '../e2e/crypto/lab.ts';
import { findChromium } from '../scripts/browser.mjs';
import type * as cases from './crypto-cases.ts';
import { interleave, timed, type Figure } from './measure.ts';
import { signalPair } from './signal.mjs';

type Cases = typeof cases;

const EFFORT: cases.Effort = { batches: 31, batch: 20, megabytes: 16 };
const json = process.argv.includes('--json');

interface Line extends Figure {
  engine: 'chromium' | 'node';
}

const inChromium = async (folder: string): Promise<Figure[]> => {
  const found = findChromium();
  const lab = await serve(folder);
  const browser = await chromium.launch({
    args: found?.args ?? [],
    ...(found?.executablePath !== undefined && { executablePath: found.executablePath }),
  });
  try {
    const page = await browser.newPage();
    await page.goto(lab.url);
    await page.waitForFunction(() => document.title === 'ready');
    return await page.evaluate(
      (effort) => (globalThis as unknown as { lab: Cases }).lab.measure(effort),
      EFFORT,
    );
  } finally {
    await browser.close();
    await lab.close();
  }
};

const inNode = async (folder: string): Promise<Figure[]> => {
  const built = (await import(pathToFileURL(path.join(folder, 'bundle.js')).href)) as Cases;
  return built.measure(EFFORT);
};

/** What libsignal takes for the same, in microseconds. */
const libsignal = async (): Promise<Record<string, number>> => {
  const pair = await signalPair();
  const plaintext = new Uint8Array(1024);
  const [oneWay, turn, handshake] = await interleave(
    [
      timed(() => pair.oneWay(plaintext)),
      timed(() => pair.turn(plaintext)),
      (count) => {
        pair.prepare(count);
        return timed(() => pair.handshake(plaintext))(count);
      },
    ],
    EFFORT,
  );
  return { 'one way': oneWay!, turn: turn!, handshake: handshake! };
};

const beside = (line: Line, signal: Record<string, number>): Line[] => {
  const name = line.name.startsWith('handshake') ? 'handshake' : line.name;
  const reference = signal[name];
  if (reference === undefined || line.against !== 'bare WebCrypto') return [];
  const { goal: _, ...rest } = line;
  return [{ ...rest, reference, against: 'libsignal in Node', ratio: line.value / reference }];
};

const isReached = ({ goal, ratio, unit }: Line): boolean | undefined => {
  if (goal === undefined) return undefined;
  return unit === 'MB/s' ? ratio >= goal : ratio <= goal;
};

const print = (lines: readonly Line[]): void => {
  if (json) {
    for (const line of lines) {
      const { engine, name, against, value, unit, reference, ratio, goal } = line;
      const row = { bench: 'crypto', name: `${engine}: ${name} / ${against}`, value, unit, reference, ratio };
      console.log(JSON.stringify({ ...row, goal: goal ?? null, ok: isReached(line) ?? null }));
    }
    return;
  }
  const rows = lines.map((line) => {
    const { engine, name, value, unit, reference, against, ratio, goal } = line;
    const wanted =
      goal === undefined
        ? ''
        : `${unit === 'MB/s' ? '≥' : '≤'} ${goal.toFixed(1)} ${isReached(line) ? '✓' : '✗'}`;
    const numbers = [`${value.toFixed(0)} ${unit}`, reference.toFixed(0), ratio.toFixed(2)];
    return [engine, name, ...numbers, against, wanted];
  });
  const table = [['engine', 'what', 'median', 'reference', 'ratio', 'against', 'goal'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    );
};

const folder = await bundle('bench/crypto-cases.ts', 'bench');
const chromiumFigures = await inChromium(folder);
const signal = await libsignal();
const nodeFigures = await inNode(folder);
const lines: Line[] = [
  // The goals are for a browser.
  ...chromiumFigures.map((figure): Line => ({ ...figure, engine: 'chromium' })),
  ...nodeFigures.map(({ goal: _, ...figure }): Line => ({ ...figure, engine: 'node' })),
];
print([...lines, ...lines.flatMap((line) => beside(line, signal))]);
