import type { Obstacle } from '../../platform/support.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';

const reload = (): void => location.reload();

const OBSTACLES: Record<Obstacle, { title: string; says: readonly string[] }> = {
  insecure: {
    title: 'This address is not secure',
    says: [
      'The page came over plain http from another machine. Browsers allow encryption only on https pages, or on the machine itself.',
      'Open the relay by its https address. If you host it, give it one: set PUBLIC_URL and put a proxy with a certificate in front.',
    ],
  },
  'no-crypto': {
    title: 'This browser cannot encrypt',
    says: [
      'It lacks Web Cryptography, which Sotto needs to make keys.',
      'Use a current Firefox, Chrome, Edge or Safari.',
    ],
  },
  'no-storage': {
    title: 'This browser cannot store messages',
    says: [
      'It lacks IndexedDB, or has it switched off. Private windows are often the reason.',
      'Open this page in an ordinary window, or in another browser.',
    ],
  },
  'no-locks': {
    title: 'This browser is too old',
    says: [
      'It lacks Web Locks, which keep two tabs from harming each other.',
      'Update it, or use a current Firefox, Chrome, Edge or Safari.',
    ],
  },
  'no-keys': {
    title: 'This browser cannot keep keys',
    says: [
      'A key that was stored did not come back, so an account made here would be lost. Private windows are often the reason.',
      'Open this page in an ordinary window, or in another browser.',
    ],
  },
};

export const ObstacleScreen = ({ obstacle }: { obstacle: Obstacle }) => {
  const { title, says } = OBSTACLES[obstacle];
  return (
    <Card title={title}>
      {says.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </Card>
  );
};

export const Wiped = ({ onBeginAgain }: { onBeginAgain(): void }) => (
  <Card title="Your chats are gone from this browser">
    <p>
      There was an account here, but the browser has thrown its data away: the keys and every message. That
      happens when site data is cleared, or when a device runs out of room.
    </p>
    <p>
      The relay does not have your messages and cannot bring them back. The people you wrote with still have
      their copies.
    </p>
    <p>To use Sotto here again, ask someone on your relay for a new invite link and make a new account.</p>
    <Button look="main" onClick={onBeginAgain}>
      Begin again
    </Button>
  </Card>
);

const BROKEN_WORDS: Record<string, string> = {
  full: 'There is no room left on this device. Make some, then reload the page.',
  superseded: 'Another tab has just taken over.',
  blocked: 'Another tab has an older version of Sotto open. Close it, then reload.',
  newer: 'A newer version of Sotto has been at work here. Reload to get it.',
  sealed: 'The browser has lost the key to what is stored on this device: it cannot be read.',
  draw: 'Something on this screen could not be drawn.',
};

export const Broken = ({ reason }: { reason: string }) => (
  <Card title="Your chats could not be opened">
    <p>{BROKEN_WORDS[reason] ?? 'The browser did not give access to what is stored on this device.'}</p>
    <p>Nothing was deleted. If reloading does not help, restart the browser.</p>
    <Button look="main" onClick={reload}>
      Reload
    </Button>
  </Card>
);

export const Removed = ({ onRead }: { onRead(): void }) => (
  <Card title="This device was removed">
    <p>It no longer belongs to its account: it gets no new messages and cannot send any.</p>
    <p>
      What had arrived is still here and can be read. To write from here again, clear this site’s data in the
      browser and open a new invite link.
    </p>
    <Button look="main" onClick={onRead}>
      Read what is here
    </Button>
  </Card>
);
