import { useId } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { BackIcon } from './icons.tsx';
import './page.css';

interface PageProps {
  title: string;
  /** What the way back says; to the list, which only a narrow window shows, or to another screen. */
  back: string;
  backTo?: string;
  children: ReactNode;
}

/** A screen beside the list that is read from the top. */
export const Page = ({ title, back, backTo, children }: PageProps) => (
  <div className="page">
    <header className="page-head">
      <Link
        className={`icon-button ${backTo === undefined ? 'page-back' : ''}`}
        to={backTo ?? '/'}
        aria-label={back}
        title={back}
      >
        <BackIcon />
      </Link>
      <h1>{title}</h1>
    </header>
    <div className="page-scroll">
      <div className="page-column">{children}</div>
    </div>
  </div>
);

/** A part of a page, under a heading of its own. */
export const Section = ({ title, children }: { title: string; children: ReactNode }) => {
  const heading = useId();
  return (
    <section className="page-section" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      {children}
    </section>
  );
};
