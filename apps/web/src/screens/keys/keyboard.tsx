import { lazy, Suspense, useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { isTouch } from '../../platform/attention.ts';
import { preferences, setPreferences } from '../../platform/preferences.ts';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import { Switch } from '../../ui/switch.tsx';
import './words.ts';

const KeysDialog = lazy(() => import('./keys-dialog.tsx').then((module) => ({ default: module.KeysDialog })));

export const Keyboard = () => {
  const [shown, setShown] = useState(false);
  const chosen = useView(preferences);
  // There is none, or one that is drawn on the screen.
  if (isTouch()) return null;
  return (
    <Section title={t('writing.keysTitle')}>
      <p className="page-quiet">{t('writing.keysSays')}</p>
      <Switch
        label={t('writing.enterSends')}
        hint={t('writing.enterSendsHint')}
        checked={chosen.enterSends}
        onChange={(enterSends) => setPreferences({ ...chosen, enterSends })}
      />
      <div>
        <Button aria-haspopup="dialog" onClick={() => setShown(true)}>
          {t('writing.keysOpen')}
        </Button>
      </div>
      <Suspense fallback={null}>{shown && <KeysDialog onClose={() => setShown(false)} />}</Suspense>
    </Section>
  );
};
