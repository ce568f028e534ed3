import type { ConversationSummary, Engine } from '@sotto/engine/views';
import { t } from '../i18n/i18n.ts';
import { isAttended } from '../platform/attention.ts';
import { showBadge } from '../platform/badge.ts';
import { mayNotify, notify, onNoticeClick, takeBack } from '../platform/notifications.ts';
import { preferences } from '../platform/preferences.ts';
import { unreadToTell } from '../screens/chats/sections.ts';

const BODY_CHARACTERS = 240;

const noticeOf = ({ id, peer, last }: ConversationSummary) => {
  const says = preferences.getSnapshot().previews && last?.mine === false ? last.text : '';
  return {
    tag: id,
    title: peer.name,
    body: says === '' ? t('app.newMessage') : says.slice(0, BODY_CHARACTERS),
    path: `/c/${id}`,
  };
};

/** Outside of the page: how much is unread on the app's icon, and what comes while nobody looks. Returns what ends it. */
export const announce = (engine: Engine): (() => void) => {
  const unreadOf = (): Map<string, number> =>
    new Map(engine.getSnapshot().conversations.map(({ id, unread }) => [id, unread]));
  let before = unreadOf();
  let badge: number | undefined;
  const look = (): void => {
    const { conversations } = engine.getSnapshot();
    const now = Date.now();
    const unread = unreadToTell(conversations, now);
    if (unread !== badge) showBadge(unread);
    badge = unread;
    for (const conversation of conversations) {
      const { id, unread } = conversation;
      const known = before.get(id) ?? 0;
      if (unread === 0 && known > 0) void takeBack(id);
      // What counts is what the window's title counts.
      const isNews = unread > known && unreadToTell([conversation], now) > 0;
      if (isNews && mayNotify() && !isAttended()) void notify(noticeOf(conversation));
    }
    before = unreadOf();
  };
  const stop = engine.subscribe(look);
  const stopClicks = onNoticeClick((path) => {
    location.hash = path;
  });
  look();
  return () => {
    stop();
    stopClicks();
  };
};
