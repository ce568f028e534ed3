import { formatLink } from '@sotto/contract/link';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';

export const ContactLinkDialog = ({ onClose }: { onClose(): void }) => {
  const { contact } = useEngineSnapshot();
  if (!contact) return null;
  const link = formatLink(location.origin, { contact });
  return (
    <Dialog title={t('people.contactLink')} onClose={onClose}>
      <Field
        label={t('people.contactLinkLabel')}
        hint={t('people.contactLinkHint')}
        value={link}
        readOnly
        dir="ltr"
        onFocus={(event) => event.target.select()}
      />
      <div className="dialog-actions">
        <CopyButton look="main" label={t('app.copyLink')} text={link} />
      </div>
    </Dialog>
  );
};
