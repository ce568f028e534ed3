import type { AccountId, ConversationId } from '@sotto/contract/ids';
import type { GroupLink } from '@sotto/contract/link';
import type { Role } from '@sotto/crypto/membership-operation';
import type { GroupStop, HistoryChoice, JoinRow } from './rows.ts';
import type { Person, View } from '../view.ts';

/** What is allowed to whom, beside what admins and owners may anyway. */
export interface GroupPolicy {
  /** Members may add others. */
  membersAdd: boolean;
  /** Members may change title and description. */
  membersEdit: boolean;
  /** Admins alone write. */
  adminsPost: boolean;
  /** Admins may take back what others wrote. */
  adminsDelete: boolean;
}

export interface GroupSummary {
  /** Empty while it cannot be read. */
  title: string;
  description?: string;
  members: number;
  /** One's own; absent for who is no member any more. */
  role?: Role;
  policy: GroupPolicy;
  /** How many ask to be let in: for admins. */
  asking?: number;
  /** Nothing is sent there and nothing taken in: the relay, or a member, showed different people different groups. */
  stopped?: GroupStop;
}

/** How one gets into a group by its link. */
export interface GroupLinkOptions {
  /** An admin has to agree to each request. */
  approval: boolean;
  /** What who comes by it is sent of what was written before. */
  history: HistoryChoice;
  /** It lets nobody in from then on, in ms since 1970. */
  until?: number;
}

/** The members of a group, as its log names them. */
export interface GroupSnapshot extends GroupSummary {
  people: readonly { id: AccountId; person: Person; role: Role }[];
  /** For those who may add members. */
  link?: GroupLinkOptions & { link: GroupLink };
  /** Who asks to be let in, the first first: for admins. `before`: they were in the group once. */
  requests: readonly { id: string; person: Person; time: number; before: boolean }[];
  /** Keys that are on their way from here to members, where those are many: what is written next leaves behind them. */
  keysLeft?: number;
}

/** What a link to a group shows. */
export interface LinkSnapshot {
  title: string;
  members: number;
  /** An admin has to agree. */
  approval: boolean;
  /** One is in it. */
  member: boolean;
  /** There is room for nobody else. */
  full: boolean;
}

/** What came of asking to be let into a group. */
export interface JoinSnapshot {
  group: ConversationId;
  title: string;
  /** When it was asked, in ms since 1970. */
  time: number;
  /** Absent: not answered yet. Who is let in finds the group among the conversations. */
  answer?: NonNullable<JoinRow['answer']>;
}

export interface GroupView extends View<GroupSnapshot> {
  close(): void;
}

/** What an engine does with groups. */
export interface GroupDeeds {
  /**
   * A group with these members; with an `id` (16 random bytes, base64url) that is there already it goes on making that one.
   *
   * @throws EngineError bad-name; CryptoError `membership-invalid`; RelayError
   */
  createGroup(request: {
    id?: ConversationId;
    title: string;
    members: readonly AccountId[];
  }): Promise<ConversationId>;
  /**
   * These change a group for everybody, in the order in which the relay takes changes; done twice they are as done once. They
   * need the relay.
   *
   * @throws RelayError; EngineError group-stopped, no-conversation; CryptoError `membership-invalid` for what is not one's to do
   */
  /** `history` is sent along: what this device has of what was written before, and may be passed on. */
  addMembers(
    id: ConversationId,
    members: readonly AccountId[],
    options?: { history?: HistoryChoice },
  ): Promise<void>;
  /** Makes or changes the group's link, with `fresh` a new one that ends the one before; undefined ends it. For admins. */
  setGroupLink(id: ConversationId, link: (GroupLinkOptions & { fresh?: boolean }) | undefined): Promise<void>;
  /**
   * Answers a request to be let in, of who may be one by now. Nothing happens when another admin was first.
   *
   * @throws EngineError not-allowed
   */
  answerRequest(
    id: ConversationId,
    request: string,
    answer: { accept: boolean; history?: HistoryChoice },
  ): Promise<void>;
  /**
   * What a link shows.
   *
   * @throws RelayError `link-unknown`; EngineError bad-link, link-expired
   */
  lookAtGroupLink(link: GroupLink): Promise<LinkSnapshot>;
  /**
   * Asks to be let in. What comes of it `joins` tells, and the group itself.
   *
   * @throws RelayError `link-unknown`, `already-member`, `too-many-members`; EngineError bad-link, link-expired
   */
  joinGroup(link: GroupLink): Promise<void>;
  /** Shows what was asked no more: until it is answered, or for good. */
  forgetJoin(id: ConversationId): Promise<void>;
  removeMembers(id: ConversationId, members: readonly AccountId[]): Promise<void>;
  /**
   * Not for the last owner, while there are others. One that has `stopped` is left on this device alone: for the others this
   * account stays on its list.
   */
  leaveGroup(id: ConversationId): Promise<void>;
  /** Owners alone, but that everybody may give up a role of their own. @throws EngineError no-member */
  setRole(id: ConversationId, account: AccountId, role: Role): Promise<void>;
  /** @throws EngineError bad-name */
  setTitle(id: ConversationId, title: string): Promise<void>;
  /** Empty takes it away. @throws EngineError too-long */
  setDescription(id: ConversationId, description: string): Promise<void>;
  /** What is not named stays. */
  setPolicy(id: ConversationId, policy: Partial<GroupPolicy>): Promise<void>;
  /** Undefined when there is no such group. */
  openGroup(id: ConversationId): Promise<GroupView | undefined>;
}
