// Renders public/icon.svg to the PNGs of the manifest, with the Chromium that Playwright finds or CHROMIUM names.
// Run by hand after a change of the SVG; the PNGs are committed.
import { chromium } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { env } from 'node:process';

const folder = new URL('../public/', import.meta.url);
const svg = await readFile(new URL('icon.svg', folder), 'utf8');
// Platforms that cut their own shape want the ground to reach the edges.
const whole = svg.replace('rx="116"', 'rx="0"');
// Of a maskable icon only the middle 80 % is sure to be seen.
const maskable = whole.replace(
  /(<path[^]*)<\/svg>/,
  '<g transform="translate(51.2 51.2) scale(0.8)">$1</g></svg>',
);

const ICONS = [
  { file: 'icon-192.png', size: 192, source: svg },
  { file: 'icon-512.png', size: 512, source: svg },
  { file: 'icon-maskable-512.png', size: 512, source: maskable },
  { file: 'apple-touch-icon.png', size: 180, source: whole },
];

const browser = await chromium.launch({
  args: ['--no-sandbox', '--disable-gpu'],
  ...(env['CHROMIUM'] && { executablePath: env['CHROMIUM'] }),
});
const page = await browser.newPage();
for (const { file, size, source } of ICONS) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<style>html,body{margin:0;background:transparent}svg{display:block;width:${size}px;height:${size}px}</style>${source}`,
  );
  await page.screenshot({ path: new URL(file, folder).pathname, omitBackground: true });
}
await browser.close();
