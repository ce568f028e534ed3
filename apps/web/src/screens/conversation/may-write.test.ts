import type { ConversationSummary } from '@sotto/engine/views';
import { describe, expect, it } from 'vitest';
import { mayReact, mayWrite } from './may-write.ts';

const group = (rest: object) => ({ group: { role: 'member', policy: { adminsPost: false }, ...rest } });
const announcements = { adminsPost: true };

describe('what may be sent', () => {
  it.each([
    { what: 'between two', summary: {}, write: true, react: true },
    { what: 'in a request', summary: { request: true }, write: false, react: false },
    { what: 'to who is blocked', summary: { blocked: true }, write: false, react: false },
    { what: 'to a changed identity', summary: { stopped: 'recovered' }, write: false, react: false },
    { what: 'in a group', summary: group({}), write: true, react: true },
    {
      what: 'in one that has stopped',
      summary: group({ stopped: 'group-fork' }),
      write: false,
      react: false,
    },
    { what: 'in one that was left', summary: group({ role: undefined }), write: false, react: false },
    { what: 'where admins write', summary: group({ policy: announcements }), write: false, react: true },
    {
      what: 'there as an admin',
      summary: group({ policy: announcements, role: 'admin' }),
      write: true,
      react: true,
    },
  ])('$what', ({ summary, write, react }) => {
    const conversation = summary as unknown as ConversationSummary;
    expect({ write: mayWrite(conversation), react: mayReact(conversation) }).toEqual({ write, react });
  });
});
