// As little of an HTTP client as there can be: JSON to a relay that says how long its answers are.
import { connect, type Socket } from 'node:net';

const idle = new Map<number, Socket[]>();

const exchange = (stream: Socket, text: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    let received = '';
    const stop = (): void => void stream.off('data', read).off('close', lost);
    const lost = (): void => {
      stop();
      reject(new Error('the connection ended'));
    };
    const read = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n') + 4;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (end < 4 || received.length < end + length) return;
      stop();
      resolve({ status: Number(received.slice(9, 12)), body: received.slice(end) });
    };
    stream.on('data', read).on('close', lost);
    stream.write(text);
  });

/** The answer to a POST. Connections are kept. */
export const ask = async <T>(port: number, path: string, value: unknown): Promise<T> => {
  const body = JSON.stringify(value);
  const text = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const kept = idle.get(port) ?? [];
  idle.set(port, kept);
  for (;;) {
    const reused = kept.pop();
    const stream = reused ?? connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => undefined);
    if (reused?.destroyed) continue;
    try {
      const answer = await exchange(stream, text);
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
      kept.push(stream);
      return JSON.parse(answer.body) as T;
    } catch (error) {
      // The relay had just closed a connection that was kept.
      if (!reused?.destroyed) throw error;
    }
  }
};
