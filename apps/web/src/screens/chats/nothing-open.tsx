import { useEngineSnapshot } from '../../app/engine-context.ts';
import { SottoMark } from '../../ui/icons.tsx';

const TEXT = {
  choose: 'Choose a chat to read and write.',
  nobody: 'Your chats will stand here.',
};

export const NothingOpen = () => {
  const { conversations } = useEngineSnapshot();
  return (
    <div className="nothing-open">
      <SottoMark size={48} />
      <p>{conversations.length > 0 ? TEXT.choose : TEXT.nobody}</p>
    </div>
  );
};
