import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

describe('settings', () => {
  it('have defaults, also for empty variables', () => {
    expect(readConfig({ PORT: '', PUBLIC_URL: '' })).toMatchObject({
      dataFolder: resolve('data'),
      port: 7688,
      host: '127.0.0.1',
      publicUrl: undefined,
      databaseUrl: undefined,
      logLevel: 'info',
    });
  });

  it('take an address without its slash', () => {
    expect(readConfig({ PUBLIC_URL: 'https://Chat.example/' }).publicUrl).toBe('https://chat.example');
  });

  it.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PUBLIC_URL', 'chat.example'],
    ['PUBLIC_URL', 'https://chat.example/app'],
    ['PUBLIC_URL', 'https://user@chat.example'],
    ['PUBLIC_URL', 'ftp://chat.example'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['LOG_LEVEL', 'loud'],
  ])('%s=%s is refused in one line that names it', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} must [^\n]+\\.$`));
  });
});
