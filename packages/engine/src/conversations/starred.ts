import type { ConversationId } from '@sotto/contract/ids';
import type { Clock } from '../clock.ts';
import type { ReadModel } from '../model.ts';
import type { MessageRow } from '../rows.ts';
import type { Engine } from '../views.ts';
import { toChatMessage } from './chat-message.ts';

const PAGE = 50;

/** What the person has starred, wherever it stands. */
export const createStarred =
  (model: ReadModel, clock: Clock): Engine['starred'] =>
  async ({ before, limit = PAGE } = {}) => {
    const me = model.self?.account ?? '';
    const isHere = (row: MessageRow | undefined) =>
      row && (row.expiresAt ?? Infinity) > clock.now() ? row : undefined;
    const page = { limit: limit + 1, ...(before && { before }) };
    const rows = await model.store.messages({ starred: true }, page);
    const shown = rows.slice(0, limit);
    const messages = await Promise.all(
      shown.filter(isHere).map(async (row) => {
        const { conversation, reply } = row;
        const quoted = reply && isHere(await model.store.get('message', [conversation, reply.id]));
        return {
          conversation: conversation as ConversationId,
          message: toChatMessage(row, quoted, me),
        };
      }),
    );
    const last = shown.at(-1);
    if (rows.length <= limit || !last) return { messages };
    const { conversation, order, id } = last;
    return { messages, more: { conversation, order, id } };
  };
