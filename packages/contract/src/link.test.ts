import { describe, expect, it } from 'vitest';
import type { AccountId, DeliveryToken, Handle, InviteSecret } from './ids.ts';
import { formatLink, type Link, parseLink } from './link.ts';

const invite = 'BwcHBwcHBwcHBwcHBwcHBw' as InviteSecret;
const contact = {
  handle: 'ann' as Handle,
  account: 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc' as AccountId,
};

describe('links', () => {
  const withToken = { ...contact, token: 'CQkJCQkJCQkJCQkJCQkJCQ' as DeliveryToken };
  const group = { channel: invite, secret: invite, pin: invite } as unknown as NonNullable<Link['group']>;
  const links: Link[] = [
    { invite },
    { invite, contact },
    { contact },
    { invite, contact: withToken },
    { contact: withToken },
    { group },
  ];
  it.each(links)('come back as they were made: %j', (link) => {
    const text = formatLink('https://chat.example', link);
    expect(parseLink(text)).toEqual(link);
    expect(parseLink(` ${text}\n`)).toEqual(link);
    expect(parseLink(text.split('#')[1]!)).toEqual(link);
  });

  it('keep everything behind the #', () => {
    expect(new URL(formatLink('https://chat.example', { invite, contact })).pathname).toBe('/');
  });

  it.each([
    '',
    'https://chat.example/',
    'https://chat.example/#/join',
    'https://chat.example/#/add',
    `https://chat.example/#/join/${invite}x`,
    `https://chat.example/#/join/${invite}/ann`,
    `https://chat.example/#/join/${invite}/ann/${contact.account}/more`,
    `https://chat.example/#/add/ann/${contact.account}/CQkJCQkJCQkJCQkJCQkJCQ/more`,
    `https://chat.example/#/add/Ann/${contact.account}`,
    `https://chat.example/#/group/${invite}/${invite}`,
    `https://chat.example/#/group/${invite}/${invite}/${invite}/more`,
    `https://chat.example/#/group/${invite}/${invite}/${invite}x`,
    `https://chat.example/#/else/${invite}`,
  ])('refuses %j', (text) => {
    expect(parseLink(text)).toBeUndefined();
  });
});
