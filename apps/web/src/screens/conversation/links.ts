export interface TextPart {
  text: string;
  /** It is a link to there. */
  href?: string;
}

/**
 * `http://…`, `www.…` and mail addresses. No spaces, no quotes, no mention, and nothing that turns the direction of what
 * follows. Bare names of sites stay as they are: what is one can be told only with a list of their endings.
 */
const LINK =
  /\b(?:https?:\/\/|www\.(?=[\p{Letter}\p{Number}]))[^\s<>"\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0]+|(?<![\w.+%/@-])[\w.+-]+@(?:[a-z\d-]+\.)+[a-z]{2,}(?![\w@-])/giu;
const LOOSE_END = /[.,;:!?'’”»…*_~]$/u;

/** Punctuation at the end belongs to the sentence, as does a bracket that was opened before the link. */
const trimmed = (found: string): string => {
  let link = found;
  for (;;) {
    const last = link.at(-1) ?? '';
    const opening = { ')': '(', ']': '[', '}': '{' }[last];
    const loose =
      opening === undefined ? LOOSE_END.test(link) : link.split(last).length > link.split(opening).length;
    if (!loose) return link;
    link = link.slice(0, -last.length);
  }
};

const parse = (text: string): URL | undefined => {
  if (/^[\w.+-]+@[a-z\d.-]+$/i.test(text)) return new URL(`mailto:${text}`);
  const whole = /^https?:/i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  // What stands before an @ looks like the name of the site.
  return url?.username === '' && url.password === '' ? url : undefined;
};

/** As it was written, but with the name of the site as it is asked for: letters of other scripts show as `xn--`. */
const shown = (written: string, { host }: URL): string => {
  const [, scheme = '', site = '', rest = ''] = /^(https?:\/\/)?([^/?#]*)(.*)$/isu.exec(written) ?? [];
  return /^[\u0021-\u007e]*$/u.test(site) ? written : `${scheme}${host}${rest}`;
};

/** A text with the links in it set apart. */
export const findLinks = (text: string): TextPart[] => {
  const parts: TextPart[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const written = trimmed(found);
    const url = parse(written);
    if (!url) continue;
    if (index > done) parts.push({ text: text.slice(done, index) });
    parts.push({ text: shown(written, url), href: url.href });
    done = index + written.length;
  }
  if (done < text.length) parts.push({ text: text.slice(done) });
  return parts;
};
