import { useEnginePart } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { SottoMark } from '../../ui/icons.tsx';

export const NothingOpen = () => {
  const conversations = useEnginePart('conversations');
  return (
    <div className="nothing-open">
      <SottoMark size={48} />
      <p>{conversations.length > 0 ? t('chats.choose') : t('chats.nothingOpen')}</p>
    </div>
  );
};
