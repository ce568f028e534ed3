import type { Person } from '@sotto/engine/views';
import { Link } from 'react-router';
import { useEnginePart } from '../../app/engine-context.ts';
import { Plain } from '../../app/plain-text.tsx';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Page } from '../../ui/page.tsx';
import { isRequest } from '../chats/sections.ts';
import { personName } from '../conversation/names.ts';
import { RequestActions } from './request-actions.tsx';
import './requests.css';

const groupWords = (count: number, by: Person | undefined): string =>
  by ? t('people.groupRequest', { count, name: personName(by) }) : t('people.groupRequestPlain', { count });

/** Strangers who wrote: what they say, and what can be answered. */
export const Requests = () => {
  const conversations = useEnginePart('conversations');
  const requests = conversations.filter(isRequest);
  return (
    <Page title={t('people.requests')} back={t('conversation.back')}>
      <p className="page-quiet">{t(requests.length > 0 ? 'people.requestsSay' : 'people.noRequests')}</p>
      <ul className="requests">
        {requests.map(({ id, peer, last, group, addedBy }) => (
          <li key={id} className="request">
            <Link className="request-who" to={`/c/${id}`}>
              <Avatar name={peer.name} account={peer.account} />
              <span className="request-names">
                <bdi className="request-name">{peer.name}</bdi>
                {group ? (
                  <span className="page-quiet">{groupWords(group.members, addedBy)}</span>
                ) : (
                  <bdi className="page-quiet" dir="ltr">
                    @{peer.handle}
                  </bdi>
                )}
              </span>
            </Link>
            {last && !last.note && (
              <p className="request-text" dir="auto">
                {last.text ? (
                  <Plain text={last.text} />
                ) : (
                  t(last.deleted ? 'app.deletedMessage' : 'app.newerMessage')
                )}
              </p>
            )}
            <RequestActions id={id} peer={peer} group={group} addedBy={addedBy} />
          </li>
        ))}
      </ul>
    </Page>
  );
};
