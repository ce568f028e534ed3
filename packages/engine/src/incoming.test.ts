import { describe, expect, it } from 'vitest';
import { incoming } from './incoming.ts';
import type { Engine } from './views.ts';

/** An engine of one conversation, whose messages are seen one by one. */
const createStub = (texts: string[]) => {
  let messages = texts.map((text, i) => ({ id: `m${i}`, from: 'ann', text, mine: false, unread: true }));
  let counted = texts.length;
  let phase = 'ready';
  let snapshot: object | undefined;
  let opened = 0;
  const listeners = new Set<() => void>();
  const change = () => {
    snapshot = undefined;
    for (const listener of listeners) listener();
  };
  const engine = {
    getSnapshot: () => (snapshot ??= { phase, conversations: [{ id: 'ann', unread: counted, peer: {} }] }),
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async openConversation() {
      opened += 1;
      return { getSnapshot: () => ({ messages }), close: () => undefined };
    },
    async markRead(_id: string, ids: string[]) {
      messages = messages.filter(({ id }) => !ids.includes(id));
      counted -= 1;
      change();
    },
  };
  return {
    engine: engine as unknown as Engine,
    opened: () => opened,
    listeners,
    set(next: { phase?: string; counted?: number }) {
      phase = next.phase ?? phase;
      counted = next.counted ?? counted;
      change();
    },
  };
};

describe('incoming', () => {
  it('passes over a text that nobody could answer with', async () => {
    const { engine } = createStub([' \n', 'hello']);
    expect((await incoming(engine).next()).value?.message.text).toBe('hello');
  });

  it('waits for a change when nothing is found where something is counted', async () => {
    const stub = createStub([]);
    stub.set({ counted: 1 });
    const next = incoming(stub.engine).next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stub.opened()).toBe(1);
    stub.set({ counted: 2 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stub.opened()).toBe(2);
    stub.set({ phase: 'removed' });
    expect((await next).done).toBe(true);
    expect(stub.listeners.size).toBe(0);
  });

  it('does not count a message as seen when the engine ended meanwhile', async () => {
    const stub = createStub(['hello', 'again']);
    const feed = incoming(stub.engine);
    await feed.next();
    stub.set({ phase: 'stopped' });
    expect((await feed.next()).done).toBe(true);
    expect(stub.engine.getSnapshot().conversations[0]!.unread).toBe(2);
  });
});
