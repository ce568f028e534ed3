import { ConversationId } from '@sotto/contract/ids';
import { useParams } from 'react-router';
import { Conversation } from './conversation.tsx';
import { Missing } from './missing.tsx';

export const ConversationRoute = () => {
  const { id, message } = useParams();
  const known = ConversationId.safeParse(id);
  return known.success ? <Conversation key={known.data} id={known.data} message={message} /> : <Missing />;
};
