import { LIMITS } from '@sotto/contract/limits';
import { useEffect, useId, useLayoutEffect, useRef } from 'react';
import type { KeyboardEvent } from 'react';
import { isTouch } from '../../platform/attention.ts';
import { IconButton } from '../../ui/button.tsx';
import { SendIcon } from '../../ui/icons.tsx';
import './composer.css';

/** From how many characters before the limit on it is spoken of. */
const NEAR = 500;

const TEXT = {
  label: 'Message',
  send: 'Send',
  left: (count: number) => (count === 1 ? '1 character left' : `${count} characters left`),
  over: (count: number) =>
    `${count === 1 ? '1 character' : `${count} characters`} too long: a message has at most ${LIMITS.textCharacters}`,
};

interface ComposerProps {
  text: string;
  problem: string | undefined;
  onChange(text: string): void;
  onSend(text: string): void;
}

const growsByItself = (): boolean => CSS.supports('field-sizing', 'content');

export const Composer = ({ text, problem, onChange, onSend }: ComposerProps) => {
  const field = useRef<HTMLTextAreaElement>(null);
  const note = useId();
  const whole = text.trim();
  const left = LIMITS.textCharacters - whole.length;
  const ready = whole !== '' && left >= 0;
  const limit = left < 0 ? TEXT.over(-left) : left <= NEAR ? TEXT.left(left) : undefined;

  useEffect(() => {
    // On touch, focus would put a keyboard over the conversation before anybody asked for it.
    if (!isTouch()) field.current?.focus({ preventScroll: true });
  }, []);

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
    // While an input method composes, Enter chooses a word.
    if (key !== 'Enter' || shiftKey || nativeEvent.isComposing || isTouch()) return;
    event.preventDefault();
    send();
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
      <div className="composer-row">
        <textarea
          ref={field}
          className="composer-field"
          aria-label={TEXT.label}
          aria-describedby={note}
          aria-invalid={left < 0}
          placeholder={TEXT.label}
          rows={1}
          dir="auto"
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
          enterKeyHint={isTouch() ? 'enter' : 'send'}
          autoComplete="off"
        />
        <IconButton
          label={TEXT.send}
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
