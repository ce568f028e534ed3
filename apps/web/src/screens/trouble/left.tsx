import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';

/** Nothing of the account is here any more. */
export const Left = ({ told }: { told: boolean }) => (
  <Card title={t('app.leftTitle')}>
    <p>{t('app.leftSays')}</p>
    {!told && <p>{t('app.leftUntold')}</p>}
    <Button look="main" onClick={() => location.replace('/')}>
      {t('app.leftStart')}
    </Button>
  </Card>
);
