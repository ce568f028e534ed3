import type { ConversationSummary, Engine } from '@sotto/engine/views';
import { beforeEach, expect, test, vi } from 'vitest';
import { isAttended } from '../platform/attention.ts';
import { notify, takeBack } from '../platform/notifications.ts';
import { announce } from './announce.ts';
import { plainText } from './plain-text.tsx';

vi.mock('../platform/attention.ts', () => ({ isAttended: vi.fn(() => false) }));
vi.mock('../platform/badge.ts', () => ({ showBadge: vi.fn() }));
vi.mock('../platform/notifications.ts', () => ({
  mayNotify: () => true,
  notify: vi.fn(async () => undefined),
  onNoticeClick: () => () => undefined,
  takeBack: vi.fn(async () => undefined),
}));
vi.mock('../platform/preferences.ts', () => ({
  preferences: {
    getSnapshot: () => ({ previews: true, mentions: true }),
    subscribe: () => () => undefined,
  },
}));
vi.mock('./plain-text.tsx', () => ({ plainText: vi.fn(async (text: string) => text) }));

beforeEach(() => {
  vi.clearAllMocks();
});

/** An engine with one conversation; returns what changes how much is unread in it, and its last words. */
const start = (): ((unread: number, text?: string) => void) => {
  let conversations: Partial<ConversationSummary>[] = [];
  let heard = (): void => undefined;
  const become = (unread: number, text = ''): void => {
    const last = { text, mine: false } as ConversationSummary['last'];
    const peer = { name: 'Ada' } as ConversationSummary['peer'];
    conversations = [{ id: 'c' as ConversationSummary['id'], peer, unread, mentioned: 0, last: last! }];
    heard();
  };
  become(0);
  announce({
    getSnapshot: () => ({ conversations }),
    subscribe: (listener: () => void) => {
      heard = listener;
      return () => undefined;
    },
  } as unknown as Engine);
  return become;
};

const held = () => {
  let resolve = (_: string): void => undefined;
  const promise = new Promise<string>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

test('the newer notification follows the older, however long that takes', async () => {
  const become = start();
  const slow = held();
  vi.mocked(plainText).mockReturnValueOnce(slow.promise);
  become(1, '*one*');
  become(2, 'two');
  await settled();
  slow.resolve('one');
  await settled();
  expect(vi.mocked(notify).mock.calls.map(([{ body }]) => body)).toEqual(['one', 'two']);
});

test('what is read while it waits is not told, nor what somebody looks at by then', async () => {
  const become = start();
  for (const turn of ['read', 'looked at']) {
    const slow = held();
    vi.mocked(plainText).mockReturnValueOnce(slow.promise);
    become(1, '*one*');
    await settled();
    if (turn === 'read') become(0);
    else vi.mocked(isAttended).mockReturnValueOnce(true);
    slow.resolve('one');
    await settled();
  }
  expect(takeBack).toHaveBeenCalledOnce();
  expect(notify).not.toHaveBeenCalled();
});

test('one that cannot be told does not hold the next one up', async () => {
  const become = start();
  vi.mocked(notify).mockRejectedValueOnce(new Error('no service worker'));
  become(1, 'one');
  become(2, 'two');
  await settled();
  expect(notify).toHaveBeenCalledTimes(2);
});
