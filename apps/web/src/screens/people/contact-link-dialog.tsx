import { formatLink } from '@sotto/contract/link';
import { useEnginePart } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { canShare, share } from '../../platform/clipboard.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import './words.ts';

/** One's own link, to be sent, or held before somebody's camera. */
export const ContactLinkDialog = ({ onClose }: { onClose(): void }) => {
  const contact = useEnginePart('contact');
  if (!contact) return null;
  const link = formatLink(location.origin, { contact });
  return (
    <Dialog title={t('people.contactLink')} onClose={onClose}>
      <QrCode text={link} label={t('trust.ownLinkCode')} />
      <p className="page-quiet">{t('trust.ownLinkCodeSays')}</p>
      <Field
        label={t('people.contactLinkLabel')}
        hint={t('people.contactLinkHint')}
        value={link}
        readOnly
        dir="ltr"
        onFocus={(event) => event.target.select()}
      />
      <div className="dialog-actions">
        {canShare() && (
          <Button onClick={() => void share({ title: 'Sotto', url: link })}>{t('people.share')}</Button>
        )}
        <CopyButton look="main" label={t('app.copyLink')} text={link} />
      </div>
    </Dialog>
  );
};
