import { Link } from 'react-router';
import { t } from '../../i18n/i18n.ts';

export const Missing = () => (
  <div className="nothing-open">
    <p>{t('conversation.missing')}</p>
    <Link className="button button-plain" to="/" replace>
      {t('app.toChats')}
    </Link>
  </div>
);
