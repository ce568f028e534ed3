/** Bounds that both sides of a wire know. Sizes are bytes, times milliseconds unless the name says otherwise. */
export const LIMITS = {
  /** An envelope's body: a sealed message. Larger content travels as an attachment. */
  envelopeBytes: 64 * 1024,
  /** Envelopes in one `send` event. */
  envelopesPerSend: 100,
  /** Envelopes handed to a socket and not yet acknowledged by it. */
  envelopesInFlight: 400,
  /** Posts in one `post` event. */
  postsPerSend: 16,
  /** Live envelopes in one `live` event. */
  livePerSend: 32,
  /** Ids in one `ack` event. */
  idsPerAck: 500,
  /** One frame on a socket: a full `send` of small envelopes or a few large ones. */
  frameBytes: 1024 * 1024,
  /** A REST body. */
  requestBytes: 64 * 1024,
  /** A REST body that holds envelopes, or a change of a channel. */
  largeRequestBytes: 1024 * 1024,
  /** Envelopes in one page of the inbox over HTTP, and of their bodies together. */
  envelopesPerPage: 100,
  pageBytes: 512 * 1024,
  membersPerChannel: 1000,
  /** Those that it joined. */
  channelsPerAccount: 1000,
  /** Channels that others put an account into, which it has not joined. */
  askedPerAccount: 200,
  /** Accounts put into a channel by one change without their tokens. */
  strangersPerChange: 60,
  /** An entry of a channel's log: an operation that names every member, sealed. */
  entryBytes: 96 * 1024,
  entriesPerPage: 100,
  /** What a link to a group shows to who follows it, and what they ask with: both sealed. */
  linkBytes: 2 * 1024,
  /** Of all entries of a channel's log; who is no admin adds up to half of it. */
  logBytesPerChannel: 64 * 1024 * 1024,
  chainEventBytes: 4 * 1024,
  /** Of each kind, in one request: 20 of each stay below `requestBytes`. */
  prekeysPerRequest: 20,
  /** One-time prekeys of each kind that the relay keeps for a device. */
  prekeysPerDevice: 200,
  devicesPerAccount: 32,
  textCharacters: 8000,
  nameCharacters: 64,
  descriptionCharacters: 300,
  /** Groups with more members than this have no receipts. */
  receiptMembers: 50,
  receiptMessages: 100,
  /** From before somebody came to a group, in one message to them; and of all that they are sent. */
  sharedMessages: 100,
  sharedInAll: 300,
  contactsPerMessage: 100,
  mentions: 100,
  blockedAccounts: 500,
  emojiCharacters: 32,
  filesPerMessage: 32,
  fileNameCharacters: 255,
  fileBytes: 2 * 1024 * 1024 * 1024,
  /** Of a disappearing message, in seconds: four weeks. */
  timerSeconds: 28 * 24 * 60 * 60,
  accessTokenMs: 15 * 60 * 1000,
  challengeMs: 60 * 1000,
  /** Envelopes of strangers that wait for a device. */
  requestsPerDevice: 200,
  /** What waits for a device: envelopes and posts, and the bytes of the envelopes. */
  waitingPerInbox: 50_000,
  waitingBytesPerInbox: 256 * 1024 * 1024,
  /** No time is later than this. */
  latestTime: 2 ** 50,
  /** No place on screen is behind this: it is what times there are and what may have to stand after them. */
  lastPlace: 2 ** 52,
  /** How long an envelope waits for its device. */
  retentionMs: 30 * 24 * 60 * 60 * 1000,
  inviteMs: 7 * 24 * 60 * 60 * 1000,
} as const;
