import type { Person } from '@sotto/engine/views';
import { Avatar } from '../../ui/avatar.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { VerifiedIcon } from '../../ui/icons.tsx';

const TEXT = {
  title: (name: string) => `About ${name}`,
  verified: 'Verified',
  verifiedSays: (name: string) =>
    `The link that brought you together names ${name}’s account itself, so this is that account and no other.`,
  open: 'Not verified',
  openSays: (name: string) =>
    `The relay says that this account is @${name}’s. To be sure, ask for their contact link in another way and open it here.`,
  sealed: 'What you write is encrypted on this device, for the two of you alone.',
};

export const PeerDialog = ({ peer, onClose }: { peer: Person; onClose(): void }) => (
  <Dialog title={TEXT.title(peer.name)} onClose={onClose}>
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
        {peer.verified ? TEXT.verified : TEXT.open}
      </p>
      <p>{peer.verified ? TEXT.verifiedSays(peer.name) : TEXT.openSays(peer.handle)}</p>
    </div>
    <p>{TEXT.sealed}</p>
  </Dialog>
);
