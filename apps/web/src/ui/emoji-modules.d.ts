declare module 'virtual:emoji' {
  /** Emoji, group, the version of Unicode's emoji that brought it, shortcodes, its skin tones, whether it is a country's flag. */
  const all: [emoji: string, group: number, version: number, codes: string, skins: string, flag: 0 | 1][];
  export default all;
}

declare module 'virtual:emoji-*' {
  /** In the order of `all`: the name, then other words for it. */
  const names: string[][];
  export default names;
}
