import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';

export const Blocked = () => {
  const engine = useEngine();
  const conversations = useEnginePart('conversations');
  const [problem, setProblem] = useState<string>();
  const blocked = conversations.filter((conversation) => conversation.blocked === true);
  return (
    <Section title={t('settings.blocked')}>
      <p className="page-quiet">
        {t(blocked.length > 0 ? 'settings.blockedSays' : 'settings.nobodyBlocked')}
      </p>
      <ul className="settings-list">
        {blocked.map(({ id, peer }) => (
          <li key={id} className="settings-row">
            <Avatar name={peer.name} account={peer.account} size="s" />
            <span className="settings-names">
              <bdi>{peer.name}</bdi>
              <bdi className="page-quiet" dir="ltr">
                @{peer.handle}
              </bdi>
            </span>
            <Button
              aria-label={t('settings.unblockName', { name: peer.name })}
              onClick={() => {
                setProblem(undefined);
                engine.unblock(id).catch((error: unknown) => setProblem(explain(error)));
              }}
            >
              {t('people.unblock')}
            </Button>
          </li>
        ))}
      </ul>
      <p className="settings-problem" role="alert">
        {problem}
      </p>
    </Section>
  );
};
