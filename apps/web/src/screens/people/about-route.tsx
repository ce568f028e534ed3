import { useParams } from 'react-router';
import { useEnginePart } from '../../app/engine-context.ts';
import { Missing } from '../conversation/missing.tsx';
import { later } from '../../ui/later.ts';
import { ContactPage } from './contact-page.tsx';

const GroupPage = later(() => import('../groups/group-page.tsx'), 'GroupPage');

/** Who, or what, a conversation is with. */
export const AboutRoute = () => {
  const { id } = useParams();
  const conversations = useEnginePart('conversations');
  const summary = conversations.find((conversation) => conversation.id === id);
  if (!summary) return <Missing />;
  return summary.group ? <GroupPage summary={summary} /> : <ContactPage summary={summary} />;
};
