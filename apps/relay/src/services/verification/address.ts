import { domainToASCII } from 'node:url';
import { Refusal } from '../../problem.ts';

/** Of RFC 5322 what mail servers give out: no quotes, no comments, nothing beyond ASCII. */
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
/** Before it is converted, which would pass over a line break, a port or a path. */
const HOST = /^[\p{L}\p{M}\p{N}.-]+$/u;
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * One spelling of an e-mail address, without spaces around it and with its domain in lower-case ASCII.
 * @throws Refusal `bad-request` for everything that could mean more than one mailbox
 */
export const normaliseAddress = (text: string): string => {
  const [local = '', host = '', ...more] = text.replaceAll(/^ +| +$/g, '').split('@');
  const domain = HOST.test(host) ? domainToASCII(host) : '';
  const valid = more.length === 0 && LOCAL.test(local) && local.length <= 64 && DOMAIN.test(domain);
  if (!valid || local.length + domain.length >= 254) throw new Refusal('bad-request', 'address');
  return `${local}@${domain}`;
};

/** The mailbox behind an address as most servers see it: `Ann+sotto@…` is `ann@…`. */
export const mailboxOf = (address: string): string => address.toLowerCase().replace(/\+[^@]*/, '');
