import { useId } from 'react';
import './choice.css';

interface ChoiceProps<Value extends string> {
  label: string;
  /** What it means, for others perhaps. */
  hint?: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChange(value: Value): void;
}

/** One of a few, all of them shown. */
export const Choice = <Value extends string>({
  label,
  hint,
  options,
  value,
  onChange,
}: ChoiceProps<Value>) => {
  const name = useId();
  return (
    <fieldset className="choice" aria-describedby={hint && `${name}-hint`}>
      <legend>{label}</legend>
      {hint && (
        <p className="choice-hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      <div className="choice-options">
        {options.map((option) => (
          <label key={option.value} className="choice-option">
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
};
