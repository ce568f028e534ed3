/** The next frame has been drawn, in ms since the page began. */
export const frame = (): Promise<number> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener('message', () => resolve(performance.now()));
      port1.start();
      port2.postMessage(0);
    });
  });

/** When what passes has been painted. */
export const painted = (test: () => boolean): Promise<number> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!test()) return;
      observer.disconnect();
      resolve(frame());
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
  });
