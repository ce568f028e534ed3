/** How much is unread, on the icon of the installed app. Elsewhere nothing happens. */
export const showBadge = (unread: number): void => {
  const done = unread > 0 ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
  done?.catch(() => undefined);
};
