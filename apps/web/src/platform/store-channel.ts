/** What everybody who shares the store hears. */
export const openChannel = (): BroadcastChannel => new BroadcastChannel('sotto');
