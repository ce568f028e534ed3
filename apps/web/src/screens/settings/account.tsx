import { useState } from 'react';
import { useEnginePart } from '../../app/engine-context.ts';
import { useSession } from '../../app/session-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Section } from '../../ui/page.tsx';
import { DeleteAccount } from './delete-account.tsx';

const SignOut = ({ onClose }: { onClose(): void }) => {
  const { leave } = useSession();
  const devices = useEnginePart('devices');
  const me = useEnginePart('me');
  const unsent = useEnginePart('unsent');
  const others = devices.filter(({ current }) => !current).length;
  return (
    <Confirm
      title={t('settings.signOutTitle')}
      action={t('settings.signOutDo')}
      onConfirm={() => {
        const own = devices.find(({ current }) => current);
        void leave(async (engine) => own && engine.removeDevice(own.device));
      }}
      onClose={onClose}
    >
      <p>{t('settings.signOutDeletes')}</p>
      <p>
        {others > 0
          ? t('settings.signOutOthers', { count: others })
          : t('settings.signOutLast', { handle: me?.handle ?? '' })}
      </p>
      {unsent > 0 && <p>{t('settings.signOutUnsent')}</p>}
    </Confirm>
  );
};

/** The ways out. */
export const Account = () => {
  const [over, setOver] = useState<'sign-out' | 'delete'>();
  const close = (): void => setOver(undefined);
  return (
    <Section title={t('settings.account')}>
      <p className="page-quiet">{t('settings.accountSays')}</p>
      <div className="settings-actions">
        <Button onClick={() => setOver('sign-out')}>{t('settings.signOut')}</Button>
        <Button className="settings-grave" onClick={() => setOver('delete')}>
          {t('settings.delete')}
        </Button>
      </div>
      {over === 'sign-out' && <SignOut onClose={close} />}
      {over === 'delete' && <DeleteAccount onClose={close} />}
    </Section>
  );
};
