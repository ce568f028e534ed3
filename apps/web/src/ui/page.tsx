import { useId } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { BackIcon } from './icons.tsx';
import './page.css';

interface PageProps {
  title: string;
  /** What the way back says, which only a narrow window shows. */
  back: string;
  children: ReactNode;
}

/** A screen beside the list that is read from the top. */
export const Page = ({ title, back, children }: PageProps) => (
  <div className="page">
    <header className="page-head">
      <Link className="icon-button page-back" to="/" aria-label={back} title={back}>
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
