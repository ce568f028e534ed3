import { Spinner } from '../ui/spinner.tsx';

/** A place that is still empty: says so once it lasts. */
export const Waiting = ({ label, as: Place = 'div' }: { label: string; as?: 'main' | 'div' }) => (
  <Place className="app-center">
    {Place === 'main' && <h1 className="sr-only">Sotto</h1>}
    <Spinner label={label} />
  </Place>
);
