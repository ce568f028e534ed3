type Fields = Record<string, unknown>;
type Item = { id: string } & Fields;

/** How a list of things with ids became another: some ids are replaced in place, some things are new or others. */
interface ListPatch {
  at: number;
  removed: number;
  ids: string[];
  put: Item[];
}

/** What turns one snapshot into the next. */
export interface Patch {
  set: Fields;
  unset: string[];
  lists: Record<string, ListPatch>;
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const isList = (value: unknown): value is readonly Item[] =>
  Array.isArray(value) && value.every((item) => isFields(item) && typeof item['id'] === 'string');

/** The same to whoever reads it. Snapshots are made of plain objects, lists and primitive values. */
const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (!isFields(a) || !isFields(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
};

const diffList = (before: readonly Item[], after: readonly Item[]): ListPatch | undefined => {
  const known = new Map(before.map((item) => [item.id, item]));
  const put = after.filter((item) => !same(known.get(item.id), item));
  const shorter = Math.min(before.length, after.length);
  let at = 0;
  while (at < shorter && before[at]!.id === after[at]!.id) at += 1;
  let tail = 0;
  while (tail < shorter - at && before.at(-1 - tail)!.id === after.at(-1 - tail)!.id) tail += 1;
  const removed = before.length - tail - at;
  const ids = after.slice(at, after.length - tail).map(({ id }) => id);
  return put.length > 0 || removed > 0 || ids.length > 0 ? { at, removed, ids, put } : undefined;
};

/** Undefined when nothing changed. Lists of things with ids are compared by id, all else as a whole. */
export const diff = (before: object, after: object): Patch | undefined => {
  const [old, next] = [before as Fields, after as Fields];
  const patch: Patch = { set: {}, unset: Object.keys(old).filter((name) => !(name in next)), lists: {} };
  for (const [name, value] of Object.entries(next)) {
    const was = old[name];
    if (Object.is(was, value)) continue;
    if (isList(was) && isList(value)) {
      const list = diffList(was, value);
      if (list) patch.lists[name] = list;
    } else if (!(name in old) || !same(was, value)) patch.set[name] = value;
  }
  const parts = [patch.set, patch.unset, patch.lists];
  return parts.some((part) => Object.keys(part).length > 0) ? patch : undefined;
};

/** The next snapshot; whatever did not change stays the same object. */
export const applyPatch = <S extends object>(before: S, { set, unset, lists }: Patch): S => {
  const next: Fields = { ...(before as Fields), ...set };
  for (const name of unset) delete next[name];
  for (const [name, { at, removed, ids, put }] of Object.entries(lists)) {
    const was = next[name] as readonly Item[];
    const items = new Map([...was, ...put].map((item) => [item.id, item]));
    next[name] = was
      .map(({ id }) => id)
      .toSpliced(at, removed, ...ids)
      .map((id) => items.get(id)!);
  }
  return next as S;
};
