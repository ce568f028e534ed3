import { RelayError } from '@sotto/contract/errors';
import { describe, expect, it } from 'vitest';
import { Gate, SharedGate } from './gate.ts';

/** Works that end when they are told to. */
const works = () => {
  const running = new Map<string, () => void>();
  const work = (name: string) => () =>
    new Promise<string>((resolve) => void running.set(name, () => resolve(name)));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const end = async (name: string) => {
    running.get(name)!();
    running.delete(name);
    await settle();
  };
  return { work, end, settle, running: () => [...running.keys()] };
};
const busy = expect.objectContaining({ code: 'busy' });

describe('Gate', () => {
  it('lets as many run and wait as it says, in their order', async () => {
    const { work, end, settle, running } = works();
    const gate = new Gate({ atOnce: 2, queue: 2 });
    const answers = ['a', 'b', 'c', 'd'].map((name) => gate.run(work(name)));
    await expect(gate.run(work('e'))).rejects.toEqual(busy);
    await settle();
    expect(running()).toEqual(['a', 'b']);
    await end('b');
    expect(running()).toEqual(['a', 'c']);
    answers.push(gate.run(work('f')));
    await expect(gate.run(work('g'))).rejects.toEqual(busy);
    for (const name of ['a', 'c', 'd', 'f']) await end(name);
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd', 'f']);
    expect(gate.idle).toBe(true);
  });

  it('passes an error on and its place too', async () => {
    const gate = new Gate({ atOnce: 1, queue: 1 });
    const failing = gate.run(() => Promise.reject(new Error('broken')));
    const next = gate.run(() => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('next');
    expect(gate.idle).toBe(true);
  });
});

describe('SharedGate', () => {
  it('gives one key one place, whatever it asks for', async () => {
    const { work, end, settle, running } = works();
    const gate = new SharedGate({ atOnce: 2, queue: 1, queueEach: 2 });
    const greedy = ['a1', 'a2', 'a3'].map((name) => gate.run('a', work(name)));
    await expect(gate.run('a', work('a4'))).rejects.toBeInstanceOf(RelayError);
    const others = ['b', 'c'].map((key) => gate.run(key, work(key)));
    await expect(gate.run('d', work('d'))).rejects.toEqual(busy);
    await settle();
    expect(running()).toEqual(['a1', 'b']);
    await end('a1');
    // Whoever comes first is next: the second of a key stands behind those of the others.
    expect(running()).toEqual(['b', 'c']);
    for (const name of ['b', 'a2', 'a3', 'c']) await end(name);
    expect(await Promise.all([...greedy, ...others])).toEqual(['a1', 'a2', 'a3', 'b', 'c']);
  });
});
