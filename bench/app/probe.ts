// Put into a page before its first script: when keys are pressed and taps are made, and when what they bring is painted.
import { frame, painted } from '../painted.ts';

interface Probe {
  /** Reads the clock that all browsers here share. */
  sync(): void;
  /** When the list of chats was painted, in ms since navigation began. */
  list: Promise<number>;
  /** From a key in a field to the frame that has its letter, in ms. */
  keys: number[];
  /** When Enter was pressed last, in ms since 1970. */
  entered: number;
  /** When the bubble with this text was painted, in ms since 1970. */
  bubble(text: string): Promise<number>;
  /** When that bubble's tick said so. */
  tick(text: string, status: string): Promise<number>;
  /** Makes `tapped` the time from the next press of a pointer until another conversation is painted, in ms. */
  awaitTap(): void;
  tapped: Promise<number> | undefined;
  /** Notes frames until the returned function is called: their times in ms, and in how many the list had a hole. */
  watch(scroll: string, row: string): () => { frames: number[]; holes: number };
}

/** What makes times of this page times since 1970, to 0.1 ms: `timeOrigin` is up to some ms off between processes. */
let offset = 0;
const wall = (time: number): number => time + offset;

const lastWith = (text: string): HTMLElement | undefined => {
  const last = [...document.querySelectorAll<HTMLElement>('.message')].at(-1);
  return last?.querySelector('.message-text')?.textContent === text ? last : undefined;
};

const shown = (): string | undefined => document.querySelector<HTMLElement>('.message')?.dataset['id'];

const probe: Probe = {
  sync() {
    offset = -Infinity;
    for (let round = 0; round < 5; round += 1) {
      const before = Date.now();
      while (Date.now() === before);
      offset = Math.max(offset, Date.now() - performance.now());
    }
  },
  list: painted(() => document.querySelector('.chat-row') !== null),
  keys: [],
  entered: 0,
  async bubble(text) {
    return wall(await painted(() => lastWith(text) !== undefined));
  },
  async tick(text, status) {
    return wall(
      await painted(() => lastWith(text)?.querySelector(`.tick[data-status=${status}]`) instanceof Element),
    );
  },
  awaitTap() {
    const before = shown();
    const pressed = new Promise<number>((resolve) => {
      addEventListener('pointerdown', ({ timeStamp }) => resolve(timeStamp), { capture: true, once: true });
    });
    const done = painted(() => ![undefined, before].includes(shown()));
    probe.tapped = Promise.all([done, pressed]).then(([end, start]) => end - start);
  },
  tapped: undefined,
  watch(scroll, row) {
    const list = document.querySelector(scroll)!;
    const { left, top, width, height } = list.getBoundingClientRect();
    const frames: number[] = [];
    let holes = 0;
    let ended = false;
    const hasRow = (y: number): boolean =>
      Boolean(document.elementFromPoint(left + width / 2, y)?.closest(row));
    const note = (time: number): void => {
      if (ended) return;
      frames.push(time);
      // After the work of this frame.
      void frame().then(() => {
        if (!ended && ![top + 4, top + height / 2, top + height - 4].every(hasRow)) holes += 1;
      });
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    return () => {
      ended = true;
      return { frames, holes };
    };
  },
};

let pressed = 0;
addEventListener(
  'keydown',
  ({ key, timeStamp }) => {
    if (key === 'Enter') probe.entered = wall(timeStamp);
    else pressed = timeStamp;
  },
  { capture: true },
);
addEventListener(
  'input',
  () => {
    const start = pressed;
    void frame().then((time) => probe.keys.push(time - start));
  },
  { capture: true },
);
(globalThis as unknown as { probe: Probe }).probe = probe;

export type { Probe };
