import type { Person } from '@sotto/engine/views';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { VerifiedIcon } from '../../ui/icons.tsx';

export const PeerDialog = ({ peer, onClose }: { peer: Person; onClose(): void }) => (
  <Dialog title={t('conversation.about', { name: peer.name })} onClose={onClose}>
    <div className="peer">
      <Avatar name={peer.name} account={peer.account} />
      <div className="peer-names">
        <p className="peer-name">
          <bdi>{peer.name}</bdi>
        </p>
        <p className="peer-handle">
          <bdi dir="ltr">@{peer.handle}</bdi>
        </p>
      </div>
    </div>
    <div className="peer-trust">
      <p className="peer-name">
        {peer.verified && <VerifiedIcon size={18} />}
        {peer.verified ? t('conversation.verified') : t('conversation.notVerified')}
      </p>
      <p>
        {peer.verified
          ? t('conversation.verifiedSays', { name: peer.name })
          : t('conversation.notVerifiedSays', { handle: peer.handle })}
      </p>
    </div>
    <p>{t('conversation.sealed')}</p>
  </Dialog>
);
