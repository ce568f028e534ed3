import { t } from '../i18n/i18n.ts';
import { Spinner } from './spinner.tsx';
import './coming.css';

/** Over the page while a menu or a dialog that was asked for is still being loaded. */
export const Coming = () => (
  <div className="coming">
    <Spinner label={t('app.loading')} />
  </div>
);
