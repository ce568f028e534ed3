/** Lone surrogates have no UTF-8: they become U+FFFD here rather than an error later. */
export const wellFormed = (text: string): string => new TextDecoder().decode(new TextEncoder().encode(text));

/** Control characters, marks that turn the direction of the text around them, and spaces without width. */
const INVISIBLE = /[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** A name as it may stand on a screen: one line, nothing invisible. May be empty. */
export const cleanName = (name: string): string => wellFormed(name).replace(INVISIBLE, '').trim();
