import type { ReactNode } from 'react';
import { SottoMark } from './icons.tsx';
import './card.css';

/** A screen that says one thing: the mark, a heading, words and what can be done. */
export const Card = ({ title, children }: { title: string; children: ReactNode }) => (
  <main className="card-ground">
    <div className="card">
      <SottoMark />
      <h1>{title}</h1>
      {children}
    </div>
  </main>
);
