import { Popover } from '@base-ui/react/popover';
import { EmojiPicker as Picker } from 'frimousse';
import type { EmojiPickerListComponents } from 'frimousse';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { language, t } from '../i18n/i18n.ts';
import type { Key } from '../i18n/keys.ts';
import { isTouch } from '../platform/attention.ts';
import { noteEmoji, noteSkinTone, skinTone, usedEmoji } from '../platform/recent-emoji.ts';
import { Button } from './button.tsx';
import { loadEmoji } from './emoji-data.ts';
import type { Emoji } from './emoji-data.ts';
import { findEmoji } from './find-emoji.ts';
import type { EmojiPickerProps } from './emoji-picker.tsx';
import { anchorOf } from './menu-anchor.ts';
import { Spinner } from './spinner.tsx';
import './menu.css';
import './emoji-picker.css';

/** Unicode's groups by number; the second is of parts that nobody sends alone. */
const GROUPS: readonly [index: number, name: Key][] = [
  [0, 'writing.emojiSmileys'],
  [1, 'writing.emojiPeople'],
  [3, 'writing.emojiNature'],
  [4, 'writing.emojiFood'],
  [5, 'writing.emojiTravel'],
  [6, 'writing.emojiActivities'],
  [7, 'writing.emojiObjects'],
  [8, 'writing.emojiSymbols'],
  [9, 'writing.emojiFlags'],
];
const RECENT = -1;
const FOUND = -2;
/** More than anybody looks through. */
const MOST_FOUND = 160;
const TONES = ['light', 'medium-light', 'medium', 'medium-dark', 'dark'] as const;
type Tone = (typeof TONES)[number] | 'none';
const toneOf = (stored: string): Tone => TONES.find((tone) => tone === stored) ?? 'none';

const entryOf = ({ emoji, label, skins, version }: Emoji, category: number, tags: string[]) => ({
  emoji,
  category,
  label,
  version,
  tags,
  ...(skins.length === TONES.length && {
    skins: Object.fromEntries(TONES.map((tone, index) => [tone, skins[index]!])) as Record<
      (typeof TONES)[number],
      string
    >,
  }),
});

/** What the picker shows for a query: all in their groups, or what it finds, the nearest first. */
const dataOf = (all: readonly Emoji[], recent: readonly string[], query: string) => ({
  emojis:
    query === ''
      ? [
          ...recent.map((emoji) => ({ emoji, category: RECENT, label: emoji, version: 0, tags: [] })),
          ...all.map((emoji) => entryOf(emoji, emoji.group, [])),
        ]
      : // The picker keeps what has the query among its tags.
        findEmoji(all, query, recent, MOST_FOUND).map((emoji) => entryOf(emoji, FOUND, [query])),
  categories: [
    { index: FOUND, label: t('writing.emojiFound') },
    { index: RECENT, label: t('writing.emojiRecent') },
    ...GROUPS.map(([index, name]) => ({ index, label: t(name) })),
  ],
  skinTones: tones(),
});

const tones = () => ({
  light: t('writing.toneLight'),
  'medium-light': t('writing.toneMediumLight'),
  medium: t('writing.toneMedium'),
  'medium-dark': t('writing.toneMediumDark'),
  dark: t('writing.toneDark'),
});

const CategoryHeader: EmojiPickerListComponents['CategoryHeader'] = ({ category, ...rest }) => (
  <div {...rest} className="emoji-category">
    {category.label}
  </div>
);

/** Counted from 1, as the standard has it; the picker counts from 0, and scrolls to the row above, which its margin makes up for. */
const fromOne = (index: number | undefined): number => (index ?? 0) + 1;

const Row: EmojiPickerListComponents['Row'] = ({ children, ...rest }) => (
  <div {...rest} className="emoji-row" aria-rowindex={fromOne(rest['aria-rowindex'])}>
    {children}
  </div>
);

const Choice: EmojiPickerListComponents['Emoji'] = ({ emoji, ...rest }) => (
  <button
    type="button"
    role="gridcell"
    {...rest}
    className="emoji-choice"
    aria-colindex={fromOne(rest['aria-colindex'])}
  >
    {emoji.emoji}
  </button>
);

interface AllProps {
  all: readonly Emoji[];
  onChoose(emoji: string): void;
}

const All = ({ all, onChoose }: AllProps) => {
  // As it was when the picker opened: nothing moves under the pointer.
  const [recent] = useState(usedEmoji);
  const [query, setQuery] = useState('');
  const [tone, setTone] = useState(() => toneOf(skinTone()));
  const labels = useMemo(() => new Map(all.map(({ emoji, label }) => [emoji, label])), [all]);
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const columns = Math.max(5, Math.min(8, Math.floor((innerWidth - 3 * rem) / (2.75 * rem))));
  // It asks for data by locale alone, so that has to name the query too.
  const spoken = language.getSnapshot().language;
  const resolve = useCallback(
    (locale: string) => ({ locale, ...dataOf(all, recent, locale.slice(spoken.length)) }),
    [all, recent, spoken],
  );
  const Named = useMemo(
    (): EmojiPickerListComponents['Emoji'] => (props) => {
      const label = labels.get(props.emoji.emoji) ?? props.emoji.label;
      return <Choice {...props} aria-label={label} title={label} />;
    },
    [labels],
  );
  return (
    <Picker.Root
      className="emoji"
      // The cells, what stands around them, and the bar that scrolls them.
      style={{ inlineSize: `calc(${columns} * var(--target) + 2rem)` }}
      locale={spoken + query}
      columns={columns}
      skinTone={tone}
      resolveEmojiData={resolve}
      onEmojiSelect={({ emoji }) => {
        noteEmoji(emoji);
        onChoose(emoji);
      }}
    >
      <div className="emoji-head">
        <Picker.Search
          className="emoji-search"
          aria-label={t('writing.emojiSearch')}
          placeholder={t('writing.emojiSearch')}
          onChange={(event) => setQuery(event.target.value.trim().toLowerCase())}
        />
        <Picker.SkinTone emoji="👋">
          {({ skinTone: now, setSkinTone, skinToneVariations }) => {
            const next =
              skinToneVariations[
                (skinToneVariations.findIndex((variation) => variation.skinTone === now) + 1) %
                  skinToneVariations.length
              ];
            return (
              <button
                type="button"
                className="icon-button emoji-tone"
                aria-label={t('writing.emojiTone', {
                  tone: now === 'none' ? t('writing.toneNone') : tones()[now],
                })}
                title={t('writing.emojiToneTitle')}
                onClick={() => {
                  const chosen = next?.skinTone ?? 'none';
                  setSkinTone(chosen);
                  setTone(chosen);
                  noteSkinTone(chosen);
                }}
              >
                {skinToneVariations.find((variation) => variation.skinTone === now)?.emoji}
              </button>
            );
          }}
        </Picker.SkinTone>
      </div>
      {/* What scrolls has to be reached by keyboard. */}
      <Picker.Viewport className="emoji-scroll" tabIndex={0}>
        <Picker.Empty className="emoji-nothing">{t('writing.emojiNone')}</Picker.Empty>
        <Picker.List className="emoji-list" components={{ CategoryHeader, Row, Emoji: Named }} />
      </Picker.Viewport>
      <p className="emoji-name" aria-hidden="true">
        <Picker.ActiveEmoji>
          {({ emoji }) => <bdi>{emoji && (labels.get(emoji.emoji) ?? emoji.label)}</bdi>}
        </Picker.ActiveEmoji>
      </p>
    </Picker.Root>
  );
};

export const EmojiPickerPopup = ({ place, onChoose, onClose, focusAfter }: EmojiPickerProps) => {
  const [all, setAll] = useState<readonly Emoji[] | 'failed'>();
  const [tries, setTries] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const anchor = useMemo(() => anchorOf(place), [place]);

  useEffect(() => {
    let current = true;
    loadEmoji().then(
      (list) => current && setAll(list),
      () => current && setAll('failed'),
    );
    return () => {
      current = false;
    };
  }, [tries]);

  const there = typeof all === 'object';
  useEffect(() => {
    // On touch, focus would put a keyboard over what is to be chosen from.
    if (there && !isTouch()) box.current?.querySelector('input')?.focus();
  }, [there]);

  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      {/* Within the landmark, so that nothing on the page is outside of one. */}
      <Popover.Portal className="menu-portal" container={document.querySelector('main')}>
        <Popover.Positioner
          className="menu-place"
          anchor={anchor}
          side="top"
          align="start"
          sideOffset={6}
          collisionPadding={8}
        >
          <Popover.Popup
            ref={box}
            className="menu emoji-popup"
            aria-label={t('writing.emojiTitle')}
            initialFocus={false}
            finalFocus={focusAfter}
          >
            {all === undefined && <Spinner label={t('writing.emojiLoading')} />}
            {all === 'failed' && (
              <div className="emoji-failed" role="alert">
                <p>{t('writing.emojiFailed')}</p>
                <Button
                  onClick={() => {
                    setAll(undefined);
                    setTries((before) => before + 1);
                  }}
                >
                  {t('app.again')}
                </Button>
              </div>
            )}
            {there && <All all={all} onChoose={onChoose} />}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
};
