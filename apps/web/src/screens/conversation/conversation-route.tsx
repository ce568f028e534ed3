import { ConversationId } from '@sotto/contract/ids';
import { useParams } from 'react-router';
import { Conversation } from './conversation.tsx';
import { Missing } from './missing.tsx';

export const ConversationRoute = () => {
  const id = ConversationId.safeParse(useParams()['id']);
  return id.success ? <Conversation key={id.data} id={id.data} /> : <Missing />;
};
