import type { ButtonHTMLAttributes, ReactNode } from 'react';
import './button.css';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `main` once on a screen at most. */
  look?: 'main' | 'plain' | 'quiet';
  children: ReactNode;
}

export const Button = ({ look = 'plain', className, type = 'button', ...rest }: ButtonProps) => (
  <button {...rest} type={type} className={`button button-${look} ${className ?? ''}`} />
);

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label' | 'title'> {
  label: string;
  children: ReactNode;
}

export const IconButton = ({ label, className, type = 'button', ...rest }: IconButtonProps) => (
  <button
    {...rest}
    type={type}
    aria-label={label}
    title={label}
    className={`icon-button ${className ?? ''}`}
  />
);
