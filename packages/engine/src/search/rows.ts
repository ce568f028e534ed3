/** Some of the search index's terms of one partition, and which messages have them (search/segment.ts). Key: `id`. */
export interface SegmentRow {
  id: number;
  terms: string;
  lengths: Uint8Array<ArrayBuffer>;
  postings: Uint8Array<ArrayBuffer>;
}

/** A message in the search index: with the partitions that have terms of it. */
export type Listed = [conversation: string, id: string, order: number, partitions: number[]];

/** The messages that numbers of the search index stand for, so many in a row; null for those that are gone. Key: `id`. */
export interface ListingRow {
  id: number;
  entries: (Listed | null)[];
}

/** What the search index consists of. One row, key `catalogue`. */
export interface CatalogueRow {
  key: 'catalogue';
  /** The next number of a message, and the next id of a segment: none is ever used twice. */
  nextDoc: number;
  nextSegment: number;
  /** The lowest and the highest `order` in each listing. */
  spans: [low: number, high: number][];
  /** For each partition its segments: each begins after the last number of the one before it. */
  partitions: SegmentRef[][];
}

/** `last`: the highest message number that it may have. `size` in bytes, nearly. */
export interface SegmentRef {
  id: number;
  last: number;
  size: number;
}

/** The number of a message whose words are to leave the search index. Key: `doc`. */
export interface DroppedRow {
  doc: number;
}
