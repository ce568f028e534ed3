import { Fragment } from 'react';
import { findLinks } from './links.ts';

/** Plain text with its links to click. Nothing is fetched for them, and the other side does not hear from where one comes. */
export const Linked = ({ text }: { text: string }) =>
  findLinks(text).map((part, index) =>
    part.href === undefined ? (
      // oxlint-disable-next-line react/no-array-index-key -- parts of one text never change places
      <Fragment key={index}>{part.text}</Fragment>
    ) : (
      // oxlint-disable-next-line react/no-array-index-key
      <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">
        {part.text}
      </a>
    ),
  );
