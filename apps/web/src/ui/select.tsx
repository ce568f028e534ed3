import { useId } from 'react';
import './select.css';

interface SelectProps {
  label: string;
  /** `lang` where a label is in another language than the page. */
  options: readonly { value: string; label: string; lang?: string }[];
  value: string;
  disabled?: boolean | undefined;
  onChange(value: string): void;
}

/** The platform's own list: one of many. */
export const Select = ({ label, options, value, disabled, onChange }: SelectProps) => {
  const id = useId();
  return (
    <div className="select">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value} lang={option.lang}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
};
