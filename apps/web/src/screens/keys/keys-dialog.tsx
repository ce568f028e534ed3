import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { isTouch } from '../../platform/attention.ts';
import { doesEnterSend, preferences } from '../../platform/preferences.ts';
import { Dialog } from '../../ui/dialog.tsx';
import './words.ts';
import './keys.css';

const isApple = (): boolean => /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Keys as they are printed on the keyboard, together; `|` stands between two ways. */
const GROUPS: readonly { title: Key; keys: readonly [says: Key, keys: string][] }[] = [
  {
    title: 'writing.keysEverywhere',
    keys: [
      ['writing.keyThese', '?|Ctrl+/'],
      ['writing.keySearchAll', 'Ctrl+K'],
      ['writing.keySearchHere', 'Ctrl+F'],
      ['writing.keyPreviousChat', 'Alt+↑'],
      ['writing.keyNextChat', 'Alt+↓'],
    ],
  },
  {
    title: 'writing.keysChats',
    keys: [
      ['writing.keyWalkChats', '↑|↓'],
      ['writing.keyOpenChat', 'Enter'],
      ['writing.keyActions', 'Shift+F10'],
    ],
  },
  {
    title: 'writing.keysWriting',
    keys: [
      ['writing.keySend', 'Enter'],
      ['writing.keyNewLine', 'Shift+Enter'],
      ['writing.keyEditLast', '↑'],
      ['writing.keyLeave', 'Esc'],
      ['writing.keyBold', 'Ctrl+B'],
      ['writing.keyItalic', 'Ctrl+I'],
      ['writing.keyStrike', 'Ctrl+Shift+X'],
      ['writing.keyCode', 'Ctrl+E'],
      ['writing.keyEmoji', ':'],
      ['writing.keyMention', '@'],
    ],
  },
  {
    title: 'writing.keysMessages',
    keys: [
      ['writing.keyWalk', '↑|↓'],
      ['writing.keyEnds', 'Home|End'],
      ['writing.keyActions', 'Enter|Shift+F10'],
      ['conversation.reply', 'R'],
      ['writing.keyReact', 'A'],
      ['conversation.edit', 'E'],
      ['writing.forward', 'F'],
      ['writing.toOriginal', 'O'],
      ['conversation.star', 'S'],
      ['conversation.copy', 'Ctrl+C'],
      ['writing.keyDetails', 'I'],
      ['conversation.delete', 'Del'],
    ],
  },
  {
    title: 'writing.keysSearching',
    keys: [
      ['writing.keyOlderHit', 'Enter|↑'],
      ['writing.keyNewerHit', 'Shift+Enter|↓'],
      ['writing.keyCloseSearch', 'Esc'],
    ],
  },
];

const printed = (key: string, apple: boolean): string =>
  (apple ? { Ctrl: '⌘', Alt: '⌥', Shift: '⇧' }[key] : undefined) ?? key;

const Keys = ({ keys, apple }: { keys: string; apple: boolean }) => (
  <span className="keys-row-keys" dir="ltr">
    {keys.split('|').map((way) => (
      <span key={way} className="keys-way">
        {way.split('+').map((key) => (
          <kbd key={key}>{printed(key, apple)}</kbd>
        ))}
      </span>
    ))}
  </span>
);

/** All that the keyboard does here. */
export const KeysDialog = ({ onClose }: { onClose(): void }) => {
  const apple = isApple();
  const enterSends = doesEnterSend(useView(preferences));
  const keysOf = (says: Key, keys: string): string =>
    enterSends
      ? keys
      : ({ 'writing.keySend': 'Shift+Enter', 'writing.keyNewLine': 'Enter' }[says as string] ?? keys);
  // On touch only the button sends then.
  const hasKey = (says: Key): boolean => says !== 'writing.keySend' || enterSends || !isTouch();
  return (
    <Dialog title={t('writing.keysTitle')} onClose={onClose}>
      <p>{t('writing.keysSays')}</p>
      {GROUPS.map(({ title, keys }) => (
        <section key={title}>
          <h3 className="keys-title">{t(title)}</h3>
          <dl>
            {keys
              .filter(([says]) => hasKey(says))
              .map(([says, which]) => (
                <div key={says} className="keys-row">
                  <dt>{t(says)}</dt>
                  <dd>
                    <Keys keys={keysOf(says, which)} apple={apple} />
                  </dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
};
