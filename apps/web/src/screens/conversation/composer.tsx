import { LIMITS } from '@sotto/contract/limits';
import type { Person } from '@sotto/engine/views';
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { ClipboardEvent, KeyboardEvent } from 'react';
import { isComposing, letterOf } from '../../app/keys.ts';
import { Plain } from '../../app/plain-text.tsx';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { isTouch } from '../../platform/attention.ts';
import { doesEnterSend, preferences } from '../../platform/preferences.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { EmojiPicker } from '../../ui/emoji-picker.tsx';
import { CloseIcon, EmojiIcon, SendIcon } from '../../ui/icons.tsx';
import { insertText, replaceText } from '../../ui/replace-text.ts';
import { MentionMarks } from './mention-marks.tsx';
import { DRAFT_CHARACTERS, splitText } from './split-text.ts';
import { useCompletion } from './use-completion.tsx';
import { useDroppedFiles } from './use-dropped-files.ts';
import { MARKS, wrap } from './wrap.ts';
import './composer.css';

/** From how many characters before the limit on it is spoken of. */
const NEAR = 500;

interface ComposerProps {
  text: string;
  problem: string | undefined;
  notice: string | undefined;
  /** What is answered or changed; the field takes focus when this does. */
  about: { id: string; title: string; text: string; leave: string; edits: boolean } | undefined;
  /** What is written is stored, as a draft: a change of a message is not. */
  kept: boolean;
  /** Who may be named. */
  people: readonly Person[];
  onChange(text: string): void;
  onSend(parts: string[]): void;
  onLeave(): void;
  /** The arrow upwards in an empty field. */
  onUp(): void;
  onProblem(words: string): void;
}

const growsByItself = (): boolean => CSS.supports('field-sizing', 'content');

/** The mark that a key with Ctrl or Cmd puts around what is selected. */
const markOf = (event: KeyboardEvent): string | undefined => {
  if (event.altKey || event.ctrlKey === event.metaKey) return undefined;
  const letter = letterOf(event);
  if (event.shiftKey) return letter === 'x' ? MARKS.strike : undefined;
  return { b: MARKS.bold, i: MARKS.italic, e: MARKS.code }[letter];
};

/** On touch a new line is made with Shift as well: keyboards on a screen begin a sentence with it. */
const isSendKey = ({ key, shiftKey }: KeyboardEvent): boolean => {
  const sends = doesEnterSend(preferences.getSnapshot());
  return key === 'Enter' && (isTouch() ? sends && !shiftKey : shiftKey !== sends);
};

const hasModifier = (event: KeyboardEvent): boolean =>
  event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;

/** What is written of how long the text is, once that matters. */
const limitWords = (length: number, parts: number): string | undefined => {
  const left = LIMITS.textCharacters - length;
  if (left > NEAR) return undefined;
  if (left >= 0) return t('conversation.charactersLeft', { count: left });
  const over = { count: -left, most: LIMITS.textCharacters };
  return parts > 1 ? t('writing.tooLongForOne', over) : t('conversation.charactersOver', over);
};

export const Composer = (props: ComposerProps) => {
  const { text, problem, notice, about, kept, people, onChange, onSend, onLeave, onUp, onProblem } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const note = useId();
  const [emojiAt, setEmojiAt] = useState<Element>();
  const chosen = useView(preferences);
  const completion = useCompletion({ field, text, people });
  const whole = text.trim();
  const tooLong = whole.length > LIMITS.textCharacters;
  const ready = whole !== '' && !tooLong;
  // A change is one message and stays one.
  const parts = tooLong && !about?.edits ? splitText(whole, LIMITS.textCharacters) : [whole];
  const refuseFiles = useCallback((): void => onProblem(t('writing.noFiles')), [onProblem]);
  const over = useDroppedFiles(refuseFiles);

  useEffect(() => {
    // On touch, focus would put a keyboard over the conversation before anybody asked for it.
    if (!isTouch()) field.current?.focus({ preventScroll: true });
  }, []);

  const aboutId = about?.id;
  useEffect(() => {
    const { current } = field;
    if (aboutId === undefined || !current) return;
    current.focus({ preventScroll: true });
    current.setSelectionRange(current.value.length, current.value.length);
  }, [aboutId]);

  useLayoutEffect(() => {
    const { current } = field;
    if (!current || growsByItself()) return;
    current.style.blockSize = 'auto';
    current.style.blockSize = `${current.scrollHeight}px`;
  }, [text]);

  const send = (): void => {
    field.current?.focus();
    if (ready) onSend([whole]);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    const { key, nativeEvent, currentTarget } = event;
    if (isComposing(nativeEvent)) return;
    const mark = markOf(event);
    if (completion.onKeyDown(event)) event.stopPropagation();
    else if (mark !== undefined) {
      const { selectionStart: start, selectionEnd: end, value } = currentTarget;
      replaceText(currentTarget, wrap({ text: value, start, end }, mark));
    } else if (key === 'Escape' && about) onLeave();
    else if (key === 'ArrowUp' && !hasModifier(event) && text === '' && !about) onUp();
    else if (isSendKey(event)) send();
    else return;
    event.preventDefault();
  };

  const onPaste = (event: ClipboardEvent<HTMLTextAreaElement>): void => {
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    const pasted = event.clipboardData.getData('text/plain');
    if (pasted === '' && event.clipboardData.files.length > 0) {
      event.preventDefault();
      refuseFiles();
    } else if (value.length - (selectionEnd - selectionStart) + pasted.length > DRAFT_CHARACTERS) {
      // It stays in the clipboard; a part of it, cut somewhere, would be worse.
      event.preventDefault();
      onProblem(t('writing.tooLongToPaste', { count: pasted.length, most: DRAFT_CHARACTERS }));
    }
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <p className="composer-note" id={note} data-grave={tooLong || problem !== undefined} aria-live="polite">
        {problem ?? notice ?? limitWords(whole.length, parts.length)}
      </p>
      {problem === undefined && parts.length > 1 && (
        <div className="composer-ways">
          <Button onClick={() => onSend(parts)}>{t('writing.sendParts', { count: parts.length })}</Button>
        </div>
      )}
      {about && (
        <div className="composer-about">
          <div className="composer-about-words">
            <p className="composer-about-title">{about.title}</p>
            <p className="composer-about-text" dir="auto">
              <Plain text={about.text} />
            </p>
          </div>
          <IconButton label={about.leave} onClick={onLeave}>
            <CloseIcon />
          </IconButton>
        </div>
      )}
      <div className="composer-row">
        {completion.popup}
        <IconButton
          label={t('writing.emojiTitle')}
          aria-haspopup="dialog"
          aria-expanded={emojiAt !== undefined}
          onClick={({ currentTarget }) => setEmojiAt(emojiAt ? undefined : currentTarget)}
        >
          <EmojiIcon />
        </IconButton>
        <div className="composer-box">
          {people.length > 0 && <MentionMarks field={field} text={text} people={people} />}
          <textarea
            ref={field}
            className="composer-field"
            data-kept={kept ? '' : undefined}
            aria-label={t('conversation.message')}
            aria-describedby={note}
            aria-invalid={tooLong}
            placeholder={t('conversation.message')}
            rows={1}
            maxLength={DRAFT_CHARACTERS}
            dir="auto"
            value={text}
            onChange={(event) => {
              onChange(event.target.value);
              completion.look();
              completion.settle();
            }}
            onSelect={completion.look}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
            enterKeyHint={doesEnterSend(chosen) ? 'send' : 'enter'}
            autoComplete="off"
            {...completion.fieldProps}
          />
        </div>
        <IconButton
          label={t('conversation.send')}
          type="submit"
          className="composer-send"
          aria-disabled={!ready}
          // The field keeps its focus, and a phone its keyboard.
          onPointerDown={(event) => event.preventDefault()}
        >
          <SendIcon />
        </IconButton>
      </div>
      {emojiAt && (
        <EmojiPicker
          place={emojiAt}
          onChoose={(emoji) => {
            setEmojiAt(undefined);
            if (field.current) insertText(field.current, emoji);
          }}
          onClose={() => setEmojiAt(undefined)}
          focusAfter={() => field.current}
        />
      )}
      {over && (
        <div className="composer-drop" aria-hidden="true">
          <p>{t('writing.noFiles')}</p>
        </div>
      )}
    </form>
  );
};
