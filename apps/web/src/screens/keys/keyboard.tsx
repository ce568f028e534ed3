import { Suspense, useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { isTouch } from '../../platform/attention.ts';
import { doesEnterSend, preferences, setPreferences } from '../../platform/preferences.ts';
import { Button } from '../../ui/button.tsx';
import { Coming } from '../../ui/coming.tsx';
import { later } from '../../ui/later.ts';
import { Section } from '../../ui/page.tsx';
import { Switch } from '../../ui/switch.tsx';
import './words.ts';

const KeysDialog = later(() => import('./keys-dialog.tsx'), 'KeysDialog');

export const Keyboard = () => {
  const [shown, setShown] = useState(false);
  const chosen = useView(preferences);
  return (
    <Section title={t('writing.keysTitle')}>
      <p className="page-quiet">{t('writing.keysSays')}</p>
      <Switch
        label={t('writing.enterSends')}
        hint={t(isTouch() ? 'writing.enterSendsTouch' : 'writing.enterSendsHint')}
        checked={doesEnterSend(chosen)}
        onChange={(sends) => setPreferences({ ...chosen, enter: sends ? 'sends' : 'line' })}
      />
      <div>
        <Button aria-haspopup="dialog" onClick={() => setShown(true)}>
          {t('writing.keysOpen')}
        </Button>
      </div>
      <Suspense fallback={<Coming />}>{shown && <KeysDialog onClose={() => setShown(false)} />}</Suspense>
    </Section>
  );
};
