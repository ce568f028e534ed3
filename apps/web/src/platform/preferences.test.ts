import { expect, test } from 'vitest';
import { parsePreferences } from './preferences.ts';

const DEFAULTS = {
  theme: 'system',
  textSize: 'normal',
  notifications: false,
  previews: true,
  mentions: true,
};

test.each([
  [null, DEFAULTS],
  ['not json', DEFAULTS],
  ['null', DEFAULTS],
  ['7', DEFAULTS],
  ['{"theme":"pink","textSize":7,"language":1,"enter":"jumps","enterSends":true}', DEFAULTS],
  ['{"enter":"sends"}', { ...DEFAULTS, enter: 'sends' }],
  [
    '{"theme":"dark","textSize":"larger","language":"ar","notifications":true,"previews":false,"mentions":false,"enterSends":false}',
    {
      theme: 'dark',
      textSize: 'larger',
      language: 'ar',
      notifications: true,
      previews: false,
      mentions: false,
      enter: 'line',
    },
  ],
])('%s', (stored, expected) => {
  expect(parsePreferences(stored)).toEqual(expected);
});
