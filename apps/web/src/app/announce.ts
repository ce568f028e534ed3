import type { ConversationSummary, Engine } from '@sotto/engine/views';
import { t } from '../i18n/i18n.ts';
import { isAttended } from '../platform/attention.ts';
import { showBadge } from '../platform/badge.ts';
import { mayNotify, notify, onNoticeClick, takeBack } from '../platform/notifications.ts';
import { preferences } from '../platform/preferences.ts';
import { calls, unreadToTell } from '../screens/chats/sections.ts';
import { personName } from '../screens/conversation/names.ts';
import { inOrder } from './in-order.ts';
import { plainText } from './plain-text.tsx';

const BODY_CHARACTERS = 240;

/** What was said, and who said it where that is not the title; as far as it may be shown. */
const bodyOf = async ({ group, last }: ConversationSummary): Promise<string> => {
  const isShown = preferences.getSnapshot().previews && last?.mine === false;
  const text = isShown ? (await plainText(last.text)).slice(0, BODY_CHARACTERS) : '';
  if (text === '') return t('app.newMessage');
  if (!group || last?.from === undefined) return text;
  return `${t('conversation.they', { name: personName(last.people?.[last.from]) })} ${text}`;
};

/** Outside of the page: how much is unread on the app's icon, and what comes while nobody looks. Returns what ends it. */
export const announce = (engine: Engine): (() => void) => {
  const unreadOf = () =>
    new Map(
      engine.getSnapshot().conversations.map(({ id, unread, mentioned }) => [id, { unread, mentioned }]),
    );
  let before = unreadOf();
  let badge: number | undefined;
  const inTurn = inOrder();
  /** `named`: no more is known than that somebody names one there. */
  const tell = async (conversation: ConversationSummary, named: boolean): Promise<void> => {
    const { id, peer } = conversation;
    const body = named ? t('app.named') : await bodyOf(conversation);
    // It may have been read while it waited.
    const now = engine.getSnapshot().conversations.find((one) => one.id === id);
    if (!now || now.unread === 0 || isAttended()) return;
    await notify({ tag: id, title: peer.name, body, path: `/c/${id}` });
  };
  const look = (): void => {
    const { conversations } = engine.getSnapshot();
    const at = { now: Date.now(), mentions: preferences.getSnapshot().mentions };
    const unread = unreadToTell(conversations, at);
    if (unread !== badge) showBadge(unread);
    badge = unread;
    for (const conversation of conversations) {
      const known = before.get(conversation.id) ?? { unread: 0, mentioned: 0 };
      if (conversation.unread === 0 && known.unread > 0) inTurn(() => takeBack(conversation.id));
      const which = calls(conversation, at);
      if (!which || conversation[which] <= known[which] || !mayNotify() || isAttended()) continue;
      // Where more came than is told of, the last of it may be something else.
      const isOther = conversation.unread - known.unread !== conversation[which] - known[which];
      inTurn(() => tell(conversation, isOther));
    }
    before = unreadOf();
  };
  const stop = engine.subscribe(look);
  const stopPreferences = preferences.subscribe(look);
  const stopClicks = onNoticeClick((path) => {
    location.hash = path;
  });
  look();
  return () => {
    stop();
    stopPreferences();
    stopClicks();
  };
};
