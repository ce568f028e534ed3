import type { ReactNode } from 'react';
import './bar.css';

interface BarProps {
  children: ReactNode;
  actions?: ReactNode;
  look?: 'calm' | 'grave';
}

/** A line above everything else: pushes down, covers nothing. */
export const Bar = ({ children, actions, look = 'calm' }: BarProps) => (
  <div className="bar" data-look={look}>
    <p>{children}</p>
    {actions !== undefined && <div className="bar-actions">{actions}</div>}
  </div>
);
