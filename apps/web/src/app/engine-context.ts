import type { Engine, EngineSnapshot } from '@sotto/engine/views';
import { createContext, useContext } from 'react';
import { language, t } from '../i18n/i18n.ts';
import { useView } from './use-view.ts';

export const EngineContext = createContext<Engine | null>(null);

export const useEngine = (): Engine => {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error('no engine above this component');
  return engine;
};

const named = new WeakMap<EngineSnapshot, { language: string; snapshot: EngineSnapshot }>();

/** With the note to self called so: under one's own name it would look like a chat with somebody. */
const withNamedNote = (snapshot: EngineSnapshot): EngineSnapshot => {
  const known = named.get(snapshot);
  const { language: spoken } = language.getSnapshot();
  if (known?.language === spoken) return known.snapshot;
  const { conversations, me } = snapshot;
  const at = conversations.findIndex(({ peer }) => peer.account === me?.account);
  const note = conversations[at];
  const next = note
    ? {
        ...snapshot,
        conversations: conversations.with(at, {
          ...note,
          peer: { ...note.peer, name: t('chats.noteToSelf') },
        }),
      }
    : snapshot;
  named.set(snapshot, { language: spoken, snapshot: next });
  return next;
};

export const useEngineSnapshot = (): EngineSnapshot => withNamedNote(useView(useEngine()));
