import { useEffect, useState } from 'react';
import type { Session } from '../../app/session.ts';
import { isAttended, onAttention } from '../../platform/attention.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';

const TEXT = {
  title: 'Sotto is open in another tab',
  there: 'Your chats can be open in one place at a time. Go on there, or use them here instead.',
  moved: 'You moved your chats to another tab or window. Nothing is lost: what you wrote here is stored.',
  use: 'Use it here',
  using: 'One moment',
};

export const OtherTab = ({ session, lost }: { session: Session; lost: boolean }) => {
  const [taking, setTaking] = useState(false);

  // Whoever closed the other tab and comes back to this one is not asked anything. Only on coming back: a page that
  // waited all the time would grab the store while the other is merely being reloaded.
  useEffect(
    () =>
      onAttention(() => {
        if (isAttended()) void session.resume();
      }),
    [session],
  );

  const take = (): void => {
    setTaking(true);
    void session.takeOver().finally(() => setTaking(false));
  };
  return (
    <Card title={TEXT.title}>
      <p>{lost ? TEXT.moved : TEXT.there}</p>
      <Button look="main" onClick={take} disabled={taking}>
        {taking ? TEXT.using : TEXT.use}
      </Button>
    </Card>
  );
};
