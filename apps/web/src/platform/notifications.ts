import type { Notice } from './notice.ts';
import { preferences } from './preferences.ts';

/** Some browsers of phones have them in an installed app alone. */
export const canNotify = (): boolean => 'Notification' in globalThis && 'serviceWorker' in navigator;

/** The person may have changed their mind in the browser's settings. */
export const mayNotify = (): boolean =>
  canNotify() && Notification.permission === 'granted' && preferences.getSnapshot().notifications;

/** Asks the person, once; a browser that has their answer gives it. */
export const askToNotify = async (): Promise<boolean> =>
  canNotify() && (await Notification.requestPermission()) === 'granted';

export const notify = async (notice: Notice): Promise<void> => {
  const registration = await navigator.serviceWorker.getRegistration();
  registration?.active?.postMessage({ type: 'SOTTO_NOTIFY', notice });
};

/** Takes back what was shown of a conversation: it has been read. */
export const takeBack = async (tag: string): Promise<void> => {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const shown of (await registration?.getNotifications({ tag })) ?? []) shown.close();
};

/** Calls back with the place that somebody chose by a click on what was shown. */
export const onNoticeClick = (listener: (path: string) => void): (() => void) => {
  const heard = ({ data }: MessageEvent<{ type?: unknown; path?: unknown } | null>): void => {
    if (data?.type === 'SOTTO_OPEN' && typeof data.path === 'string') listener(data.path);
  };
  navigator.serviceWorker?.addEventListener('message', heard);
  return () => navigator.serviceWorker?.removeEventListener('message', heard);
};
