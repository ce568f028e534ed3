// `npm run bench -- relay [--json] [--only W2,W3] [--profile]`: the relay beside a bare one. Run by scripts/bench.mjs.
import { printFigures, type Figure } from './relay/figures.ts';
import { openLab } from './relay/lab.ts';
import { idle, profile, PEOPLE, STEADY, w4, w6, WORKLOADS, type Workload } from './relay/workloads.ts';

const isWorkload = (name: string): name is Workload => WORKLOADS.includes(name as Workload);

const at = process.argv.indexOf('--only');
const only = new Set(at < 0 ? WORKLOADS : (process.argv[at + 1] ?? '').split(',').filter(isWorkload));
if (only.size === 0) {
  console.error(`--only takes some of: ${WORKLOADS.join(',')}`);
  process.exit(1);
}

const lab = await openLab(PEOPLE);
const end = (): void => void lab.close().finally(() => process.exit(1));
process.once('SIGINT', end).once('SIGTERM', end);
try {
  const load = await lab.startLoad();
  if (process.argv.includes('--profile')) await profile(lab, load, only);
  else {
    const figures: Figure[] = [];
    const steady = Object.entries(STEADY).filter(([name]) => only.has(name as Workload));
    if (steady.length > 0) {
      const sides = { reference: await lab.start('reference'), real: await lab.start('real') };
      for (const [, take] of steady) figures.push(...(await take(lab, load, sides)));
      for (const side of Object.values(sides)) await side.stop();
    }
    if (only.has('W4')) figures.push(...(await w4(lab, load)));
    if (only.has('W6')) figures.push(...(await w6(lab, load)));
    if (only.has('idle')) figures.push(...(await idle(lab, load)));
    printFigures(
      figures.toSorted((a, b) => a.name.localeCompare(b.name, 'en')),
      process.argv.includes('--json'),
    );
  }
  await load.stop();
} finally {
  await lab.close();
}
