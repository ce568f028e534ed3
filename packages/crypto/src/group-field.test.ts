import { describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from './bytes.ts';
import { createGroupKey } from './channel.ts';
import { isField, openField, sealField } from './group-field.ts';
import { codeOf } from './group-suite.ts';
import { random } from './test-support.ts';

const some = async () => {
  const group = toBase64url(random(16));
  const key = await createGroupKey('channel', group);
  return { group, key, ...(await sealField(key, 'title', utf8('Hikers'))) };
};

describe('a field of a group', () => {
  it('says to who has the channel key what it says, and to nobody else', async () => {
    const { group, key, value, opened } = await some();
    expect(await openField(key, 'title', value)).toEqual(opened);
    expect(opened.text).toEqual(utf8('Hikers'));
    expect(new TextDecoder('latin1').decode(value)).not.toContain('Hikers');
    expect(await codeOf(() => openField(key, 'description', value))).toBe('cannot-open');
    const other = await createGroupKey('channel', group);
    expect(await codeOf(() => openField(other, 'title', value))).toBe('cannot-open');
    for (let at = 0; at < value.length; at += 1) {
      const changed = value.with(at, value[at]! ^ 1);
      expect(await codeOf(() => openField(key, 'title', changed))).toBe('cannot-open');
      expect(await codeOf(() => openField(key, 'title', value.slice(0, at)))).toBe('cannot-open');
    }
  });

  it('commits to one text', async () => {
    const { group, value, opened } = await some();
    expect(await isField(group, 'title', value, opened)).toBe(true);
    expect(await isField(group, 'description', value, opened)).toBe(false);
    expect(await isField(toBase64url(random(16)), 'title', value, opened)).toBe(false);
    expect(await isField(group, 'title', value, { ...opened, text: utf8('Bikers') })).toBe(false);
    expect(await isField(group, 'title', value, { ...opened, salt: random(16) })).toBe(false);
    // The border between salt and text does not move.
    const moved = {
      salt: opened.salt.slice(0, 15),
      text: new Uint8Array([opened.salt[15]!, ...opened.text]),
    };
    expect(await isField(group, 'title', value, moved)).toBe(false);
  });
});
