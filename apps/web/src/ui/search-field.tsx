import { useRef } from 'react';
import { IconButton } from './button.tsx';
import { CloseIcon, SearchIcon } from './icons.tsx';
import './search-field.css';

interface SearchFieldProps {
  label: string;
  /** What the button says that empties it. */
  clear: string;
  value: string;
  onChange(value: string): void;
}

export const SearchField = ({ label, clear, value, onChange }: SearchFieldProps) => {
  const field = useRef<HTMLInputElement>(null);
  return (
    <div className="search-field" role="search" aria-label={label}>
      <SearchIcon />
      <input
        ref={field}
        className="search-field-input"
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && onChange('')}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
      />
      {value !== '' && (
        <IconButton
          label={clear}
          onClick={() => {
            onChange('');
            field.current?.focus();
          }}
        >
          <CloseIcon />
        </IconButton>
      )}
    </div>
  );
};
