/** What the service worker is asked to show, if no page of the app is looked at. */
export interface Notice {
  /** One for each conversation: a newer one takes its place. */
  tag: string;
  title: string;
  body: string;
  /** Where a click leads to. */
  path: string;
}
