import { useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import type { Updates } from '../../platform/updates.ts';
import { Bar } from '../../ui/bar.tsx';
import { Button } from '../../ui/button.tsx';

/** Says that a new version waits. It is used when the person says so, or at the next start; never by itself. */
export const UpdatePrompt = ({ updates }: { updates: Updates }) => {
  const { ready } = useView(updates);
  const [later, setLater] = useState(false);
  return (
    <div role="status" aria-label={t('app.updates')}>
      {ready && !later && (
        <Bar
          actions={
            <>
              <Button look="quiet" onClick={() => updates.apply()}>
                {t('app.reload')}
              </Button>
              <Button look="quiet" onClick={() => setLater(true)}>
                {t('app.later')}
              </Button>
            </>
          }
        >
          {t('app.updateReady')}
        </Bar>
      )}
    </div>
  );
};
