import { createBox } from '@sotto/engine/box';

/** What is written in the composer is stored once the keys have rested for less than this. */
const REST_MS = 1000;

const box = createBox(false);

/** A newer version has taken over from the one that this page is of: what the page has not loaded yet is gone. */
export const replaced = { getSnapshot: box.getSnapshot, subscribe: box.subscribe };

const written = (fields: string): string =>
  [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(fields)]
    .map(({ value }) => value)
    .join('');

const reasons: (() => boolean)[] = [];

/** For what stands in no field and is not stored yet: the page does not reload by itself while this says so. */
export const stayWhile = (isUnstored: () => boolean): void => void reasons.push(isUnstored);

/** Somebody has begun something that is stored nowhere: a text that is no draft, a choice among people. */
const isBegun = (): boolean =>
  written('input:read-write, textarea:not([data-kept])') !== '' ||
  document.querySelector('input[type="checkbox"]:not([role="switch"]):checked') !== null;

/** Reloads the page, unless something that somebody writes there would be lost. */
const reloadUnlessWriting = async (): Promise<void> => {
  if (isBegun()) return;
  const before = written('textarea[data-kept]');
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  // What is only being stored at first may be by now.
  if (isBegun() || reasons.some((isUnstored) => isUnstored())) return;
  if (written('textarea[data-kept]') === before) location.reload();
};

/** It has: the page reloads when nobody looks, or when it needs what is gone. */
export const noteReplaced = (): void => {
  box.set(true);
  const look = (): void => {
    if (document.visibilityState === 'hidden') void reloadUnlessWriting();
  };
  document.addEventListener('visibilitychange', look);
  look();
};

/** For what could not be loaded: where it is gone for good, nothing comes but the reload, which a bar asks for. */
export const orReload = (error: unknown): Promise<never> => {
  if (!box.getSnapshot()) throw error;
  void reloadUnlessWriting();
  return new Promise(() => undefined);
};
