import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A mail as it arrived: where the envelope sent it, its bytes, and what a reader sees. */
export interface Caught {
  recipients: string[];
  raw: string;
  mail: Email;
}

/** A mail server in this process. `hold` keeps senders waiting until it is called off. */
export const startMailServer = async () => {
  const caught: Caught[] = [];
  const held: (() => void)[] = [];
  const state = { holding: false, refusing: false };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    closeTimeout: 100,
    onRcptTo: (_address, _session, done) => done(state.refusing ? new Error('no such mailbox') : undefined),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks);
        if (state.holding) await new Promise<void>((resolve) => held.push(resolve));
        caught.push({
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          raw: raw.toString('latin1'),
          mail: await PostalMime.parse(raw),
        });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    caught,
    state,
    /** How many mails wait to be taken. */
    held: () => held.length,
    release: () => {
      state.holding = false;
      for (const resolve of held.splice(0)) resolve();
    },
    /** The code in the last mail to an address. */
    codeFor: (address: string): string => {
      const last = caught.findLast(({ recipients }) => recipients.includes(address));
      const code = /^ {4}(\d{6})$/m.exec(last?.mail.text ?? '')?.[1];
      if (code === undefined) throw new Error(`no mail to ${address}`);
      return code;
    },
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
};
export type MailServer = Awaited<ReturnType<typeof startMailServer>>;
