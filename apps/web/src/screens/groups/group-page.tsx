import type { ConversationId } from '@sotto/contract/ids';
import type { ConversationSummary, GroupSnapshot, GroupSummary, GroupView } from '@sotto/engine/views';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/page.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { KeysLeft } from '../conversation/keys-left.tsx';
import { Linked } from '../conversation/linked.tsx';
import { personName } from '../conversation/names.ts';
import { ChatSettings } from '../people/chat-settings.tsx';
import { AddDialog, Ask, EditDialog, groupProblem } from './group-dialogs.tsx';
import { InviteLink } from './invite-link.tsx';
import { JoinRequests } from './join-requests.tsx';
import { Members } from './members.tsx';
import type { Member, Role } from './members.tsx';
import { Permissions } from './permissions.tsx';
import { useGroup } from './use-group.ts';
import '../people/about.css';
import './words.ts';

type Over =
  | { at: 'add' | 'leave' | 'stuck' }
  /** `before`: as it was when the dialog was opened. */
  | { at: 'edit'; before: GroupSummary }
  | { at: 'remove' | 'handOver'; member: Member };

const Head = ({ group, onEdit }: { group: GroupSummary; onEdit: (() => void) | undefined }) => (
  <>
    {group.description !== undefined && (
      <p className="about-description" dir="auto">
        <Linked text={group.description} />
      </p>
    )}
    {onEdit && (
      <Button look="quiet" onClick={onEdit}>
        {t('groups.edit')}
      </Button>
    )}
  </>
);

interface InsideProps {
  id: ConversationId;
  summary: ConversationSummary;
  group: GroupSnapshot;
}

const isLastOwner = ({ people, role }: GroupSnapshot): boolean =>
  role === 'owner' && people.length > 1 && people.filter((member) => member.role === 'owner').length === 1;

const Inside = ({ id, summary, group }: InsideProps) => {
  const engine = useEngine();
  const me = useEnginePart('me');
  const phase = useEnginePart('phase');
  const navigate = useNavigate();
  const [over, setOver] = useState<Over>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { role, policy, stopped } = group;
  const inside = role !== undefined && phase === 'ready' && !summary.request;
  const active = inside && stopped === undefined;
  const manages = active && role !== 'member';
  const close = (): void => setOver(undefined);

  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem(groupProblem(error));
    }
    setBusy(false);
  };
  /** What was not edited stays as it is by now: others may have changed it meanwhile. */
  const save = async (before: GroupSummary, title: string, description: string): Promise<void> => {
    const isNew = (text: string, was = '', is = ''): boolean => text !== was && text !== is;
    if (isNew(title, before.title, group.title)) await engine.setTitle(id, title);
    if (isNew(description, before.description, group.description))
      await engine.setDescription(id, description);
  };
  /** Made an owner beside oneself; who hands over steps back. */
  const handOver = async ({ id: account }: Member): Promise<void> => {
    await engine.setRole(id, account, 'owner');
    if (me) await engine.setRole(id, me.account, 'admin');
  };
  const leave = async (): Promise<void> => {
    await engine.leaveGroup(id);
    void navigate('/', { replace: true });
  };

  return (
    <>
      <div className="about-head">
        <Avatar name={group.title} account={id} size="l" />
        <h2>
          <bdi>{group.title === '' ? t('groups.noTitle') : group.title}</bdi>
        </h2>
        <Head
          group={group}
          onEdit={
            manages || (active && policy.membersEdit)
              ? () => setOver({ at: 'edit', before: group })
              : undefined
          }
        />
      </div>
      {busy && <Spinner label={t('groups.working')} />}
      {group.keysLeft !== undefined && (
        <KeysLeft count={group.keysLeft}>{(words) => <p className="page-quiet">{words}</p>}</KeysLeft>
      )}
      <p className="about-problem" role="alert">
        {problem}
      </p>
      {manages && <JoinRequests id={id} requests={group.requests} busy={busy} run={run} />}
      <ChatSettings summary={summary} writable={active && !(policy.adminsPost && role === 'member')} />
      <Members
        group={group}
        me={me?.account}
        active={active}
        deeds={{
          add: () => setOver({ at: 'add' }),
          message: (account) => void run(async () => navigate(`/c/${await engine.openDirect(account)}`)),
          role: (member, next: Role) => void run(() => engine.setRole(id, member.id, next)),
          handOver: (member) => setOver({ at: 'handOver', member }),
          remove: (member) => setOver({ at: 'remove', member }),
        }}
      />
      {(manages || (active && group.link)) && (
        <InviteLink id={id} group={group} manages={manages} busy={busy} run={run} />
      )}
      {manages && (
        <Permissions
          policy={policy}
          busy={busy}
          onChange={(changed) => run(() => engine.setPolicy(id, changed))}
        />
      )}
      {inside && (
        <div className="about-actions">
          <Button
            className="about-danger"
            onClick={() => setOver({ at: active && isLastOwner(group) ? 'stuck' : 'leave' })}
          >
            {t('groups.leave')}
          </Button>
        </div>
      )}
      {over?.at === 'add' && (
        <AddDialog
          members={new Set(group.people.map((member) => member.id))}
          onAdd={(accounts, history) => engine.addMembers(id, accounts, { history })}
          onClose={close}
        />
      )}
      {over?.at === 'edit' && (
        <EditDialog
          group={over.before}
          onSave={(title, description) => save(over.before, title, description)}
          onClose={close}
        />
      )}
      {over?.at === 'leave' && (
        <Ask
          title={t('groups.leaveTitle', { group: group.title })}
          action={t('groups.leave')}
          work={leave}
          onClose={close}
        >
          <p>{t(stopped ? 'groups.leaveStoppedSays' : 'groups.leaveSays')}</p>
        </Ask>
      )}
      {over?.at === 'stuck' && (
        <Ask
          title={t('groups.leaveTitle', { group: group.title })}
          action={t('groups.understood')}
          work={async () => undefined}
          onClose={close}
        >
          <p>{t('groups.lastOwner')}</p>
        </Ask>
      )}
      {over?.at === 'remove' && (
        <Ask
          title={t('groups.removeTitle', { name: personName(over.member.person) })}
          action={t('groups.removeAction')}
          work={() => engine.removeMembers(id, [over.member.id])}
          onClose={close}
        >
          <p>{t('groups.removeSays', { name: personName(over.member.person) })}</p>
        </Ask>
      )}
      {over?.at === 'handOver' && (
        <Ask
          title={t('groups.handOverTitle', { name: personName(over.member.person) })}
          action={t('groups.handOverAction')}
          work={() => handOver(over.member)}
          onClose={close}
        >
          <p>{t('groups.handOverSays', { name: personName(over.member.person) })}</p>
        </Ask>
      )}
    </>
  );
};

const Opened = ({ view, ...rest }: { view: GroupView; id: ConversationId; summary: ConversationSummary }) => (
  <Inside {...rest} group={useView(view)} />
);

/** A group: what it is called, who is in it, and who may do what. */
export const GroupPage = ({ summary }: { summary: ConversationSummary }) => {
  const view = useGroup(summary.id);
  return (
    <Page title={t('groups.group')} back={t('trust.toChat')} backTo={`/c/${summary.id}`}>
      {view === undefined && <Spinner label={t('groups.opening')} />}
      {view && 'failed' in view && <p role="alert">{view.failed}</p>}
      {view && !('failed' in view) && <Opened view={view} id={summary.id} summary={summary} />}
    </Page>
  );
};
