import type { ConversationSummary } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { MUTE_MS, MUTED_FOREVER } from '../../app/mute.ts';
import { t } from '../../i18n/i18n.ts';
import { Menu } from '../../ui/menu.tsx';
import type { MenuEntry, MenuPlace } from '../../ui/menu.tsx';

interface RowMenuProps {
  conversation: ConversationSummary;
  place: MenuPlace;
  onClose(): void;
  /** Has to be asked about. */
  onBlock(): void;
  onFailure(error: unknown): void;
}

/** What can be done with a conversation from the list. */
export const RowMenu = ({ conversation, place, onClose, onBlock, onFailure }: RowMenuProps) => {
  const engine = useEngine();
  const [now] = useState(() => Date.now());
  const { id, peer, group, unread, pinned, archived, muted = 0, blocked } = conversation;
  const { me } = engine.getSnapshot();

  const run = (work: Promise<void>): void => void work.catch(onFailure);
  const flag = (label: string, flags: Parameters<typeof engine.setFlags>[1]): MenuEntry => ({
    label,
    onChoose: () => run(engine.setFlags(id, flags)),
  });
  const entries: MenuEntry[] = [
    ...(unread > 0 ? [{ label: t('chats.markRead'), onChoose: () => run(engine.markRead(id)) }] : []),
    pinned === undefined ? flag(t('chats.pin'), { pinned: true }) : flag(t('chats.unpin'), { pinned: false }),
    ...(muted > now
      ? [flag(t('chats.unmute'), { muted: 0 })]
      : [
          flag(t('chats.muteHours'), { muted: now + MUTE_MS.hours }),
          flag(t('chats.muteForever'), { muted: MUTED_FOREVER }),
        ]),
    archived
      ? flag(t('chats.unarchive'), { archived: false })
      : flag(t('chats.archive'), { archived: true, pinned: false }),
    ...(group || peer.account === me?.account
      ? []
      : [
          blocked
            ? { label: t('people.unblock'), onChoose: () => run(engine.unblock(id)) }
            : { label: t('people.block'), grave: true, onChoose: onBlock },
        ]),
  ];

  return (
    <Menu
      label={t('chats.actionsFor', { name: peer.name })}
      place={place}
      entries={entries}
      onClose={onClose}
    />
  );
};
