import { lazy, Suspense, useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import './words.ts';

const KeysDialog = lazy(() => import('./keys-dialog.tsx').then((module) => ({ default: module.KeysDialog })));

export const Keyboard = () => {
  const [shown, setShown] = useState(false);
  return (
    <Section title={t('writing.keysTitle')}>
      <p className="page-quiet">{t('writing.keysSays')}</p>
      <div>
        <Button aria-haspopup="dialog" onClick={() => setShown(true)}>
          {t('writing.keysOpen')}
        </Button>
      </div>
      <Suspense fallback={null}>{shown && <KeysDialog onClose={() => setShown(false)} />}</Suspense>
    </Section>
  );
};
