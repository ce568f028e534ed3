import { LIMITS } from '@sotto/contract/limits';
import { useEffect, useId, useLayoutEffect, useRef } from 'react';
import type { KeyboardEvent } from 'react';
import { t } from '../../i18n/i18n.ts';
import { isTouch } from '../../platform/attention.ts';
import { IconButton } from '../../ui/button.tsx';
import { CloseIcon, SendIcon } from '../../ui/icons.tsx';
import './composer.css';

/** From how many characters before the limit on it is spoken of. */
const NEAR = 500;

interface ComposerProps {
  text: string;
  problem: string | undefined;
  /** What is answered or changed; the field takes focus when this does. */
  about: { id: string; title: string; text: string; leave: string } | undefined;
  onChange(text: string): void;
  onSend(text: string): void;
  onLeave(): void;
  /** The arrow upwards in an empty field. */
  onUp(): void;
}

const growsByItself = (): boolean => CSS.supports('field-sizing', 'content');

export const Composer = ({ text, problem, about, onChange, onSend, onLeave, onUp }: ComposerProps) => {
  const field = useRef<HTMLTextAreaElement>(null);
  const note = useId();
  const whole = text.trim();
  const left = LIMITS.textCharacters - whole.length;
  const ready = whole !== '' && left >= 0;
  const limit =
    left < 0
      ? t('conversation.charactersOver', { count: -left, most: LIMITS.textCharacters })
      : left <= NEAR
        ? t('conversation.charactersLeft', { count: left })
        : undefined;

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
    if (ready) onSend(whole);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const { key, shiftKey, nativeEvent } = event;
    // While an input method composes, the keys are its own.
    if (nativeEvent.isComposing) return;
    if (key === 'Escape' && about) onLeave();
    else if (key === 'ArrowUp' && text === '' && !about) onUp();
    else if (key === 'Enter' && !shiftKey && !isTouch()) send();
    else return;
    event.preventDefault();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <p
        className="composer-note"
        id={note}
        data-grave={left < 0 || problem !== undefined}
        aria-live="polite"
      >
        {problem ?? limit}
      </p>
      {about && (
        <div className="composer-about">
          <div className="composer-about-words">
            <p className="composer-about-title">{about.title}</p>
            <p className="composer-about-text" dir="auto">
              {about.text}
            </p>
          </div>
          <IconButton label={about.leave} onClick={onLeave}>
            <CloseIcon />
          </IconButton>
        </div>
      )}
      <div className="composer-row">
        <textarea
          ref={field}
          className="composer-field"
          aria-label={t('conversation.message')}
          aria-describedby={note}
          aria-invalid={left < 0}
          placeholder={t('conversation.message')}
          rows={1}
          dir="auto"
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
          enterKeyHint={isTouch() ? 'enter' : 'send'}
          autoComplete="off"
        />
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
    </form>
  );
};
