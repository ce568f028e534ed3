import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const messageOf = (environment: NodeJS.ProcessEnv): string => {
  try {
    readConfig(environment);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

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
    ['REDIS_URL', 'localhost:6379'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '0'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '127.0.0.1,,::1'],
    ['REGISTRATION', 'invite,password'],
    ['REGISTRATION', 'open,invite'],
    ['INVITES', 'everybody'],
    ['SMTP_URL', 'mail.example.org'],
    ['MAIL_FROM', 'sotto'],
    ['FIREBASE_AUTH_DOMAIN', 'https://x.example'],
    ['RETENTION_DAYS', '0'],
    ['RETENTION_DAYS', '366'],
    ['RETENTION_DAYS', '1.5'],
    ['METRICS_TOKEN', 'short'],
  ])('%s=%s is refused in one line that names it', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} must [^\n]+\\.$`));
  });

  it('are refused with a line for every mistake, none of which tells a value', () => {
    const wrong = {
      PORT: 'x-secret',
      SMTP_URL: 'mail-secret',
      REDIS_URL: 'http://:secret@localhost',
      REGISTRATION: 'email,phone',
      FIREBASE_AUTH_EMULATOR_HOST: 'localhost:9099',
      NODE_ENV: 'production',
    };
    const message = messageOf(wrong);
    expect(message.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'PORT',
      'REDIS_URL',
      'SMTP_URL',
      'MAIL_FROM',
      'FIREBASE_PROJECT_ID',
      'FIREBASE_API_KEY',
      'FIREBASE_AUTH_DOMAIN',
      'FIREBASE_AUTH_EMULATOR_HOST',
    ]);
    expect(message).not.toContain('secret');
  });

  it('take the emulator neither in production nor under https', () => {
    const emulator = { FIREBASE_AUTH_EMULATOR_HOST: 'localhost:9099' };
    expect(messageOf({ ...emulator, NODE_ENV: 'production' })).toMatch(
      /^FIREBASE_AUTH_EMULATOR_HOST must not/,
    );
    expect(messageOf({ ...emulator, PUBLIC_URL: 'https://chat.example' })).toMatch(/^FIREBASE_AUTH_EMULATOR/);
    expect(messageOf({ ...emulator, PUBLIC_URL: 'http://localhost:1' })).toBe('');
  });

  it('say what a registration takes', () => {
    const of = (REGISTRATION: string) =>
      readConfig({
        REGISTRATION,
        SMTP_URL: 'smtp://localhost:25',
        MAIL_FROM: 'Sotto <sotto@example.org>',
      }).registration;
    expect(of('')).toEqual({ invite: true, email: false, phone: false });
    expect(of('open')).toEqual({ invite: false, email: false, phone: false });
    expect(of('invite, email')).toEqual({ invite: true, email: true, phone: false });
  });

  it('believe no proxy unless told', () => {
    const of = (TRUST_PROXY: string) => readConfig({ TRUST_PROXY }).trustProxy;
    expect([of(''), of('2'), of('127.0.0.1, fd00::/8')]).toEqual([[], 2, ['127.0.0.1', 'fd00::/8']]);
  });
});
