import type { OwnDevice } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { dateTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';
import { browserName } from '../../platform/browser-name.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Section } from '../../ui/page.tsx';

/** As much of an id as tells the devices of one person apart. */
const codeOf = ({ device }: OwnDevice): string => device.slice(0, 6);

const Device = ({ of, several, onRemove }: { of: OwnDevice; several: boolean; onRemove(): void }) => {
  const { current, since, trouble } = of;
  const phase = useEnginePart('phase');
  return (
    <li className="settings-row">
      <span className="settings-names">
        <span className="settings-name">{t(current ? 'settings.thisDevice' : 'settings.otherDevice')}</span>
        {current && (
          <bdi className="page-quiet" dir="ltr">
            {browserName()}
          </bdi>
        )}
        <span className="page-quiet">
          {since === 0 ? t('settings.firstDevice') : t('settings.since', { date: dateTime(since) })}
        </span>
        {several && <span className="page-quiet">{t('settings.deviceCode', { code: codeOf(of) })}</span>}
        {trouble !== undefined && <span className="settings-problem">{t('settings.deviceTrouble')}</span>}
      </span>
      {!current && (
        <Button
          aria-label={t('settings.removeDeviceCode', { code: codeOf(of) })}
          disabled={phase !== 'ready'}
          onClick={onRemove}
        >
          {t('settings.removeDevice')}
        </Button>
      )}
    </li>
  );
};

/** Of one's own account. */
export const Devices = () => {
  const engine = useEngine();
  const devices = useEnginePart('devices');
  const [removing, setRemoving] = useState<OwnDevice>();
  const [problem, setProblem] = useState<string>();
  const several = devices.length > 1;
  return (
    <Section title={t('settings.devices')}>
      <ul className="settings-list">
        {devices.map((of) => (
          <Device key={of.device} of={of} several={several} onRemove={() => setRemoving(of)} />
        ))}
      </ul>
      {several && <p className="page-quiet">{t('settings.deviceCodeHint')}</p>}
      <p className="settings-problem" role="alert">
        {problem}
      </p>
      {removing && (
        <Confirm
          title={t('settings.removeDeviceTitle', { code: codeOf(removing) })}
          action={t('settings.removeDevice')}
          onConfirm={() => {
            setProblem(undefined);
            engine.removeDevice(removing.device).catch((error: unknown) => setProblem(explain(error)));
          }}
          onClose={() => setRemoving(undefined)}
        >
          <p>{t('settings.removeDeviceSays')}</p>
        </Confirm>
      )}
    </Section>
  );
};
