import { useEffect, useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { perLocale } from '../../i18n/format.ts';
import { t } from '../../i18n/i18n.ts';
import { askToPersist, persisted, usedBytes } from '../../platform/storage.ts';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';

const UNITS = ['kilobyte', 'megabyte', 'gigabyte'] as const;

const formats = perLocale((locale) =>
  UNITS.map((unit) => new Intl.NumberFormat(locale, { style: 'unit', unit, maximumSignificantDigits: 3 })),
);

/** As people read it: 1000 at a time, as the systems of phones count. */
const size = (bytes: number): string => {
  const step = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 1), UNITS.length);
  return formats()[step - 1]!.format(bytes / 1000 ** step);
};

export const Storage = () => {
  const kept = useView(persisted);
  const [used, setUsed] = useState<number>();
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    let current = true;
    void usedBytes().then((bytes) => current && setUsed(bytes));
    return () => {
      current = false;
    };
  }, []);
  return (
    <Section title={t('settings.storage')}>
      {used !== undefined && <p>{t('settings.used', { size: size(used) })}</p>}
      <p>{t(kept === true ? 'settings.kept' : 'settings.notKept')}</p>
      {kept !== true && (
        <div>
          <Button
            onClick={() => {
              setAsked(true);
              askToPersist();
            }}
          >
            {t('settings.askToKeep')}
          </Button>
        </div>
      )}
      <p className="page-quiet" role="status">
        {asked && kept === false && t('settings.keepRefused')}
      </p>
      <p className="page-quiet">{t('settings.onlyHere')}</p>
    </Section>
  );
};
