import { useId } from 'react';
import type { InputHTMLAttributes, ReactNode, Ref } from 'react';
import './field.css';

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  /** Said under the field as long as nothing is wrong. */
  hint?: ReactNode;
  problem?: string | undefined;
  /** Stands before what is typed, such as `@`. */
  prefix?: string;
  ref?: Ref<HTMLInputElement>;
}

export const Field = ({ label, hint, problem, prefix, ...input }: FieldProps) => {
  const id = useId();
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <div
        className="field-box"
        dir={prefix === undefined ? undefined : 'ltr'}
        data-problem={problem !== undefined}
      >
        {prefix !== undefined && (
          <span className="field-prefix" aria-hidden="true">
            {prefix}
          </span>
        )}
        <input
          {...input}
          id={id}
          className="field-input"
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-note`}
        />
      </div>
      {/* One place for both, so that nothing below moves. */}
      <p className="field-note" id={`${id}-note`} data-problem={problem !== undefined} aria-live="polite">
        {problem ?? hint}
      </p>
    </div>
  );
};
