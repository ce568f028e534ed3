import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import type { Obstacle } from '../../platform/support.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';

const reload = (): void => location.reload();

const OBSTACLES: Record<Obstacle, { title: Key; why: Key; what: Key }> = {
  insecure: { title: 'app.insecureTitle', why: 'app.insecureWhy', what: 'app.insecureDo' },
  'no-crypto': { title: 'app.noCryptoTitle', why: 'app.noCryptoWhy', what: 'app.useCurrent' },
  'no-storage': { title: 'app.noStorageTitle', why: 'app.noStorageWhy', what: 'app.useOrdinary' },
  'no-locks': { title: 'app.noLocksTitle', why: 'app.noLocksWhy', what: 'app.updateBrowser' },
  'no-keys': { title: 'app.noKeysTitle', why: 'app.noKeysWhy', what: 'app.useOrdinary' },
};

export const ObstacleScreen = ({ obstacle }: { obstacle: Obstacle }) => {
  const { title, why, what } = OBSTACLES[obstacle];
  return (
    <Card title={t(title)}>
      <p>{t(why)}</p>
      <p>{t(what)}</p>
    </Card>
  );
};

export const Wiped = ({ onBeginAgain }: { onBeginAgain(): void }) => (
  <Card title={t('app.wipedTitle')}>
    <p>{t('app.wipedWhy')}</p>
    <p>{t('app.wipedGone')}</p>
    <p>{t('app.wipedDo')}</p>
    <Button look="main" onClick={onBeginAgain}>
      {t('app.beginAgain')}
    </Button>
  </Card>
);

const BROKEN_WORDS: Record<string, Key> = {
  full: 'app.brokenFull',
  superseded: 'app.brokenSuperseded',
  blocked: 'app.brokenBlocked',
  newer: 'app.brokenNewer',
  sealed: 'app.brokenSealed',
  draw: 'app.brokenDraw',
};

/** `onLeave`: what is here can be deleted. Offered where nothing of it can be read any more. */
export const Broken = ({ reason, onLeave }: { reason: string; onLeave?: () => void }) => (
  <Card title={t('app.brokenTitle')}>
    <p>{t(BROKEN_WORDS[reason] ?? 'app.brokenOther')}</p>
    <p>{t('app.brokenDo')}</p>
    <Button look="main" onClick={reload}>
      {t('app.reload')}
    </Button>
    {reason === 'sealed' && onLeave && <Button onClick={onLeave}>{t('app.removedDelete')}</Button>}
  </Card>
);

export const Removed = ({ onRead, onLeave }: { onRead(): void; onLeave(): void }) => (
  <Card title={t('app.removedTitle')}>
    <p>{t('app.removedSays')}</p>
    <p>{t('app.removedDo')}</p>
    <Button look="main" onClick={onRead}>
      {t('app.readHere')}
    </Button>
    <Button onClick={onLeave}>{t('app.removedDelete')}</Button>
  </Card>
);
