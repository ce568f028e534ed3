import type { Connection, ConnectionListener, Transport } from '@sotto/engine/ports';

/** What may happen to a frame on its way. Each answers anew every time it is asked. */
export interface Faults {
  /** A batch of envelopes, or an acknowledgement, does not reach the relay. */
  loseSend(): boolean;
  /** The relay's word on a batch does not arrive. */
  loseAnswer(): boolean;
  /** Envelopes arrive twice. */
  repeat(): boolean;
  /** Envelopes, and all that come behind them, arrive so many ms later. */
  delay?(): number;
}

/** A transport on which frames get lost and repeated; whatever is lost takes the connection with it. */
export const withFaults =
  (faults: Faults) =>
  (transport: Transport): Transport => ({
    ...transport,
    connect(signer, listener) {
      let connection: Connection;
      let closed = false;
      const cut = (): false => {
        connection.close();
        listener.disconnected();
        setTimeout(() => {
          if (!closed) connection = transport.connect(signer, faulty);
        }, 5);
        return false;
      };
      let line: Promise<unknown> = Promise.resolve();
      const arrive = (envelopes: Parameters<ConnectionListener['deliver']>[0]): void => {
        listener.deliver(envelopes);
        if (faults.repeat()) setTimeout(() => listener.deliver(envelopes), 1);
      };
      const deliver: ConnectionListener['deliver'] = (envelopes) => {
        const { delay } = faults;
        if (!delay) return arrive(envelopes);
        const wait = delay();
        line = line
          .then(() => new Promise((resolve) => setTimeout(resolve, wait)))
          .then(() => arrive(envelopes));
        return undefined;
      };
      const faulty: ConnectionListener = {
        ...listener,
        connected: () => listener.connected(),
        deliver,
        accepted: (results) => (faults.loseAnswer() ? void cut() : listener.accepted(results)),
      };
      connection = transport.connect(signer, faulty);
      return {
        send: (envelopes) => (faults.loseSend() ? cut() : connection.send(envelopes)),
        post: (posts) => (faults.loseSend() ? cut() : connection.post(posts)),
        ack: (ids) => (faults.loseSend() ? cut() : connection.ack(ids)),
        live: (signals) => connection.live(signals),
        livePost: (post) => connection.livePost(post),
        retry: () => connection.retry(),
        close() {
          closed = true;
          connection.close();
        },
      };
    },
  });
