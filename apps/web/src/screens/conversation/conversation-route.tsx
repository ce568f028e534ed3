import { useParams } from 'react-router';
import { Conversation } from './conversation.tsx';

export const ConversationRoute = () => {
  const { id = '', message } = useParams();
  return <Conversation key={id} id={id} message={message} />;
};
