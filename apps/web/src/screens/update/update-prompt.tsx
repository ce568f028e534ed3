import { useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { replaced } from '../../platform/replaced.ts';
import type { Updates } from '../../platform/updates.ts';
import { Bar } from '../../ui/bar.tsx';
import { Button } from '../../ui/button.tsx';

/**
 * Says that a new version waits. It is used when the person says so, or at the next start; never by itself. Where another
 * tab has begun to use it, this one has to follow.
 */
export const UpdatePrompt = ({ updates }: { updates: Updates }) => {
  const { ready, applying } = useView(updates);
  const behind = useView(replaced);
  const [later, setLater] = useState(false);
  return (
    <div role="status" aria-label={t('app.updates')}>
      {(behind || (ready && !later)) && (
        <Bar
          actions={
            <>
              <Button look="quiet" disabled={applying} onClick={() => updates.apply()}>
                {t('app.reload')}
              </Button>
              {!behind && (
                <Button look="quiet" disabled={applying} onClick={() => setLater(true)}>
                  {t('app.later')}
                </Button>
              )}
            </>
          }
        >
          {t(behind ? 'app.updatedElsewhere' : 'app.updateReady')}
        </Bar>
      )}
    </div>
  );
};
