import { createBox } from '@sotto/engine/box';

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

/** `prompt`: the browser can ask. `steps`: the person has to do it by hand, as on an iPhone. */
export type InstallOffer = 'prompt' | 'steps' | undefined;

const DISMISSED = 'sotto-install-dismissed';
let kept: InstallPrompt | undefined;

export const isInstalled = (): boolean =>
  matchMedia('(display-mode: standalone), (display-mode: window-controls-overlay)').matches ||
  (navigator as { standalone?: boolean }).standalone === true;

/** An iPad says that it is a Mac; no Mac has a screen to touch. */
const isIos = (): boolean =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1);

const offer = createBox<InstallOffer>(undefined);

/** How the app can be installed here. */
export const installOffer = { getSnapshot: offer.getSnapshot, subscribe: offer.subscribe };

/** Keeps the browser's own prompt back until it makes sense. Early: browsers offer it once. */
export const watchInstall = (): void => {
  if (isIos() && !isInstalled()) offer.set('steps');
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    kept = event as InstallPrompt;
    offer.set('prompt');
  });
  window.addEventListener('appinstalled', () => offer.set(undefined));
};

/** Shows the browser's prompt, which serves once. */
export const install = async (): Promise<void> => {
  const prompt = kept;
  kept = undefined;
  offer.set(undefined);
  await prompt?.prompt();
};

/** Whether the person said once that they do not want it: it is not offered again by itself. */
export const isInstallDismissed = (): boolean => {
  try {
    return localStorage.getItem(DISMISSED) !== null;
  } catch {
    return true;
  }
};

export const dismissInstall = (): void => {
  try {
    localStorage.setItem(DISMISSED, '1');
  } catch {
    // Forbidden: it is offered again at the next start.
  }
};
