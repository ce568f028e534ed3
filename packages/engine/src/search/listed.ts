/** Messages in one listing of the search index: a multiple of 32. */
export const LISTED = 256;
