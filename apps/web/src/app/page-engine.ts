import type { Member } from '@sotto/engine/remote/member';

/** What a page gets of its worker: store, crypto and connection all stay in there. */
export interface PageEngine extends Member {
  /** See platform/support.ts. */
  canKeepKeys(): Promise<boolean>;
  /** The page has drawn what is stored: what sends and receives is loaded now, and takes no time of that. */
  drawn(): Promise<void>;
}
