import { useId } from 'react';
import './switch.css';

interface SwitchProps {
  label: string;
  /** What it means for others, or when it is off. */
  hint: string;
  checked: boolean;
  disabled?: boolean;
  onChange(checked: boolean): void;
}

export const Switch = ({ label, hint, checked, disabled, onChange }: SwitchProps) => {
  const id = useId();
  return (
    <label className="switch">
      <span className="switch-words">
        <span id={id}>{label}</span>
        <span className="switch-hint" id={`${id}-hint`}>
          {hint}
        </span>
      </span>
      <input
        type="checkbox"
        role="switch"
        className="switch-box"
        aria-labelledby={id}
        aria-describedby={`${id}-hint`}
        checked={checked}
        disabled={disabled}
        aria-checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
    </label>
  );
};
