import { formatLink } from '@sotto/contract/link';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import './menu-dialog.css';

const TEXT = {
  title: 'You',
  label: 'Your contact link',
  hint: 'For people who have an account here: it makes you a verified contact of theirs.',
  copy: 'Copy link',
  kept: 'Your keys and messages are on this device alone. Clearing this browser’s data deletes them for good.',
};

export const MenuDialog = ({ onClose }: { onClose(): void }) => {
  const { me, contact } = useEngineSnapshot();
  if (!me || !contact) return null;
  const link = formatLink(location.origin, { contact });
  return (
    <Dialog title={TEXT.title} onClose={onClose}>
      <div className="menu-me">
        <Avatar name={me.name} account={me.account} />
        <div className="menu-names">
          <p className="menu-name">
            <bdi>{me.name}</bdi>
          </p>
          <p className="menu-handle">
            <bdi dir="ltr">@{me.handle}</bdi>
          </p>
        </div>
      </div>
      <Field
        label={TEXT.label}
        hint={TEXT.hint}
        value={link}
        readOnly
        onFocus={(event) => event.target.select()}
      />
      <div className="dialog-actions">
        <CopyButton look="main" label={TEXT.copy} text={link} />
      </div>
      <p className="menu-kept">{TEXT.kept}</p>
    </Dialog>
  );
};
