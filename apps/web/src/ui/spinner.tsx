import { useEffect, useState } from 'react';
import './spinner.css';

const PATIENCE_MS = 300;

/** Words with a turning ring, once something takes longer than a blink. */
export const Spinner = ({ label }: { label: string }) => {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p className="spinner" role="status">
      {late && (
        <>
          <span className="spinner-ring" aria-hidden="true" />
          {label}
        </>
      )}
    </p>
  );
};
