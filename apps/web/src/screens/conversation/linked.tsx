import type { AccountId } from '@sotto/contract/ids';
import { Fragment, useContext } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useEnginePart } from '../../app/engine-context.ts';
import { findLinks } from './links.ts';
import { countMarks, MENTION_MARK } from './mentions.ts';
import type { Named } from './mentions.ts';
import { OpenPerson } from './open-person.ts';

const Chip = ({ named: { account, text } }: { named: Named }) => {
  const me = useEnginePart('me');
  const open = useContext(OpenPerson);
  const isMe = account === me?.account;
  if (isMe || !open)
    return (
      <bdi className="mention" data-me={isMe}>
        {text}
      </bdi>
    );
  return (
    <Link
      className="mention"
      to={`/about/${account}`}
      onClick={(event) => {
        event.preventDefault();
        open(account as AccountId);
      }}
    >
      <bdi>{text}</bdi>
    </Link>
  );
};

const withChips = (text: string, named: readonly Named[]): ReactNode =>
  text.split(MENTION_MARK).map((part, index) => {
    const before = index === 0 ? undefined : named[index - 1];
    return (
      // oxlint-disable-next-line react/no-array-index-key -- parts of one text never change places
      <Fragment key={index}>
        {before && <Chip named={before} />}
        {part}
      </Fragment>
    );
  });

const NOBODY: readonly Named[] = [];

interface LinkedProps {
  /** With a mark for each mention. */
  text: string;
  /** What the marks in it stand for. */
  named?: readonly Named[];
}

/** Plain text with its links to click. Nothing is fetched for them, and the other side does not hear from where one comes. */
export const Linked = ({ text, named = NOBODY }: LinkedProps) => {
  const parts = findLinks(text);
  return parts.map((part, index) =>
    part.href === undefined ? (
      // oxlint-disable-next-line react/no-array-index-key -- parts of one text never change places
      <Fragment key={index}>
        {withChips(
          part.text,
          named.slice(
            countMarks(
              parts
                .slice(0, index)
                .map((one) => one.text)
                .join(''),
            ),
          ),
        )}
      </Fragment>
    ) : (
      <a
        // oxlint-disable-next-line react/no-array-index-key
        key={index}
        href={part.href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        dir="ltr"
        className="link"
      >
        {part.text}
      </a>
    ),
  );
};
