import type { Engine, EngineSnapshot } from '@sotto/engine/views';
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import { language, t } from '../i18n/i18n.ts';

export const EngineContext = createContext<Engine | null>(null);

export const useEngine = (): Engine => {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error('no engine above this component');
  return engine;
};

type Conversations = EngineSnapshot['conversations'];

const named = new WeakMap<Conversations, { of: string; conversations: Conversations }>();

/** With the note to self called so: under one's own name it would look like a chat with somebody. */
const withNamedNote = ({ conversations, me }: EngineSnapshot): Conversations => {
  const known = named.get(conversations);
  const of = `${language.getSnapshot().language} ${me?.account}`;
  if (known?.of === of) return known.conversations;
  const at = conversations.findIndex(({ peer }) => peer.account === me?.account);
  const note = conversations[at];
  const next = note
    ? conversations.with(at, { ...note, peer: { ...note.peer, name: t('chats.noteToSelf') } })
    : conversations;
  named.set(conversations, { of, conversations: next });
  return next;
};

const partOf = <Part extends keyof EngineSnapshot>(
  snapshot: EngineSnapshot,
  part: Part,
): EngineSnapshot[Part] =>
  part === 'conversations' ? (withNamedNote(snapshot) as EngineSnapshot[Part]) : snapshot[part];

/** A part of what the engine says. What shows it is drawn anew when that part is another, and not when others are. */
export const useEnginePart = <Part extends keyof EngineSnapshot>(part: Part): EngineSnapshot[Part] => {
  const engine = useEngine();
  return useSyncExternalStore(
    useCallback((listener: () => void) => engine.subscribe(listener), [engine]),
    () => partOf(engine.getSnapshot(), part),
  );
};
