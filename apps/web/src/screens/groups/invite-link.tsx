import type { ConversationId } from '@sotto/contract/ids';
import { formatLink } from '@sotto/contract/link';
import type { GroupLinkOptions, GroupSnapshot } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { momentTime } from '../../app/times.ts';
import { useNow } from '../../app/use-now.ts';
import { t } from '../../i18n/i18n.ts';
import { canShare, share } from '../../platform/clipboard.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Section } from '../../ui/page.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import { Select } from '../../ui/select.tsx';
import { Switch } from '../../ui/switch.tsx';
import { Ask } from './group-dialogs.tsx';
import { History } from './history-choice.tsx';

const DAY = 24 * 60 * 60 * 1000;

const ShowLink = ({ group, link, onClose }: { group: string; link: string; onClose(): void }) => (
  <Dialog title={t('groups.link')} onClose={onClose}>
    <QrCode text={link} label={t('groups.linkCode', { group })} />
    <p className="page-quiet">{t('groups.linkCodeSays')}</p>
    <Field
      label={t('groups.linkLabel')}
      hint={t('groups.linkHint')}
      value={link}
      readOnly
      dir="ltr"
      onFocus={(event) => event.target.select()}
    />
    <div className="dialog-actions">
      {canShare() && (
        <Button onClick={() => void share({ title: group, url: link })}>{t('groups.share')}</Button>
      )}
      <CopyButton look="main" label={t('app.copyLink')} text={link} />
    </div>
  </Dialog>
);

interface OptionsProps {
  options: GroupLinkOptions;
  busy: boolean;
  onChange(options: GroupLinkOptions): void;
}

const Options = ({ options, busy, onChange }: OptionsProps) => {
  const now = useNow();
  const { until, ...others } = options;
  const state = until === undefined ? 'always' : until <= now ? 'over' : 'until';
  const choose = (choice: string): void => {
    if (choice === 'always') onChange(others);
    else if (choice === 'day' || choice === 'week')
      onChange({ ...others, until: Date.now() + (choice === 'day' ? DAY : 7 * DAY) });
  };
  return (
    <>
      <Switch
        label={t('groups.approval')}
        hint={t('groups.approvalHint')}
        checked={options.approval}
        disabled={busy}
        onChange={(approval) => onChange({ ...options, approval })}
      />
      <Select
        label={t('groups.valid')}
        value={state}
        disabled={busy}
        options={[
          { value: 'always', label: t('groups.validAlways') },
          ...(state === 'until'
            ? [{ value: 'until', label: t('groups.validUntil', { time: momentTime(until!) }) }]
            : []),
          ...(state === 'over' ? [{ value: 'over', label: t('groups.validOver') }] : []),
          { value: 'day', label: t('groups.validDay') },
          { value: 'week', label: t('groups.validWeek') },
        ]}
        onChange={choose}
      />
      <History
        value={options.history}
        disabled={busy}
        onChange={(history) => onChange({ ...options, history })}
      />
    </>
  );
};

/** Whom the link lets in. */
const Says = ({ options: { approval, until } }: { options: GroupLinkOptions }) => {
  const now = useNow();
  const isOver = until !== undefined && until <= now;
  return (
    <p className="page-quiet">
      {t(isOver ? 'groups.linkOver' : approval ? 'groups.linkAsks' : 'groups.linkOpen')}
    </p>
  );
};

interface InviteLinkProps {
  id: ConversationId;
  group: GroupSnapshot;
  /** May set it, not only pass it on. */
  manages: boolean;
  busy: boolean;
  run(work: () => Promise<unknown>): Promise<void>;
}

/** The link into a group: for those who may add others. */
export const InviteLink = ({ id, group, manages, busy, run }: InviteLinkProps) => {
  const engine = useEngine();
  const [over, setOver] = useState<'show' | 'reset' | 'end'>();
  const { link } = group;
  const close = (): void => setOver(undefined);
  if (!link)
    return (
      <Section title={t('groups.link')}>
        <p className="page-quiet">{t('groups.noLink')}</p>
        <Button
          className="members-add"
          disabled={busy}
          onClick={() => void run(() => engine.setGroupLink(id, { approval: true, history: 'none' }))}
        >
          {t('groups.makeLink')}
        </Button>
      </Section>
    );
  const { link: parts, ...options } = link;
  return (
    <Section title={t('groups.link')}>
      <Says options={options} />
      <Button className="members-add" onClick={() => setOver('show')}>
        {t('groups.showLink')}
      </Button>
      {manages && (
        <>
          <Options
            options={options}
            busy={busy}
            onChange={(changed) => void run(() => engine.setGroupLink(id, changed))}
          />
          <div className="about-actions">
            <Button disabled={busy} onClick={() => setOver('reset')}>
              {t('groups.resetLink')}
            </Button>
            <Button disabled={busy} onClick={() => setOver('end')}>
              {t('groups.endLink')}
            </Button>
          </div>
        </>
      )}
      {over === 'show' && (
        <ShowLink group={group.title} link={formatLink(location.origin, { group: parts })} onClose={close} />
      )}
      {over === 'reset' && (
        <Ask
          title={t('groups.resetTitle')}
          action={t('groups.resetAction')}
          work={() => engine.setGroupLink(id, { ...options, fresh: true })}
          onClose={close}
        >
          <p>{t('groups.resetSays')}</p>
        </Ask>
      )}
      {over === 'end' && (
        <Ask
          title={t('groups.endTitle')}
          action={t('groups.endAction')}
          work={() => engine.setGroupLink(id, undefined)}
          onClose={close}
        >
          <p>{t('groups.endSays')}</p>
        </Ask>
      )}
    </Section>
  );
};
