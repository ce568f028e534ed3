import { expect, it, vi } from 'vitest';
import { createEmitter } from './emitter.ts';

it('tells everybody, also after one that throws, and throws what they threw where nobody waits', () => {
  const thrown: unknown[] = [];
  const later = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
    try {
      task();
    } catch (error) {
      thrown.push(error);
    }
  });
  const { emit, subscribe } = createEmitter();
  const error = new Error('of a listener');
  const told = vi.fn();
  subscribe(() => {
    throw error;
  });
  subscribe(told);
  emit();
  later.mockRestore();
  expect(told).toHaveBeenCalledOnce();
  expect(thrown).toEqual([error]);
});
