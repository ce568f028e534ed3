import * as signal from '@signalapp/libsignal-client';

class Identity extends signal.IdentityKeyStore {
  key = signal.PrivateKey.generate();
  known = new Map();
  getIdentityKey = async () => this.key;
  getLocalRegistrationId = async () => 1;
  isTrustedIdentity = async () => true;
  getIdentity = async (name) => this.known.get(name.toString()) ?? null;
  saveIdentity = async (name, key) => {
    this.known.set(name.toString(), key);
    return signal.IdentityChange.NewOrUnchanged;
  };
}

class Sessions extends signal.SessionStore {
  kept = new Map();
  saveSession = async (name, record) => {
    this.kept.set(name.toString(), record.serialize());
  };
  getSession = async (name) => {
    const bytes = this.kept.get(name.toString());
    return bytes ? signal.SessionRecord.deserialize(bytes) : null;
  };
  getExistingSessions = async () => [];
}

class PreKeys extends signal.PreKeyStore {
  kept = new Map();
  savePreKey = async (id, record) => {
    this.kept.set(id, record);
  };
  getPreKey = async (id) => this.kept.get(id);
  removePreKey = async (id) => {
    this.kept.delete(id);
  };
}

class SignedPreKeys extends signal.SignedPreKeyStore {
  kept = new Map();
  saveSignedPreKey = async (id, record) => {
    this.kept.set(id, record);
  };
  getSignedPreKey = async (id) => this.kept.get(id);
}

class KyberPreKeys extends signal.KyberPreKeyStore {
  kept = new Map();
  saveKyberPreKey = async (id, record) => {
    this.kept.set(id, record);
  };
  getKyberPreKey = async (id) => this.kept.get(id);
  markKyberPreKeyUsed = async () => {};
}

const device = (name) => ({
  address: signal.ProtocolAddress.new(name, 1),
  identity: new Identity(),
  sessions: new Sessions(),
  preKeys: new PreKeys(),
  signed: new SignedPreKeys(),
  kyber: new KyberPreKeys(),
});

let nextId = 1;

/** A bundle with a one-time key of each kind, kept by its owner. */
const bundleOf = (owner) => {
  const id = nextId;
  nextId += 1;
  const [once, signed] = [signal.PrivateKey.generate(), signal.PrivateKey.generate()];
  const kyber = signal.KEMKeyPair.generate();
  const signedSignature = owner.identity.key.sign(signed.getPublicKey().serialize());
  const kyberSignature = owner.identity.key.sign(kyber.getPublicKey().serialize());
  owner.preKeys.kept.set(id, signal.PreKeyRecord.new(id, once.getPublicKey(), once));
  owner.signed.kept.set(
    id,
    signal.SignedPreKeyRecord.new(id, 1, signed.getPublicKey(), signed, signedSignature),
  );
  owner.kyber.kept.set(id, signal.KyberPreKeyRecord.new(id, 1, kyber, kyberSignature));
  return signal.PreKeyBundle.new(
    1,
    1,
    id,
    once.getPublicKey(),
    id,
    signed.getPublicKey(),
    signedSignature,
    owner.identity.key.getPublicKey(),
    id,
    kyber.getPublicKey(),
    kyberSignature,
  );
};

const start = (from, to, bundle) =>
  signal.processPreKeyBundle(bundle, to.address, from.address, from.sessions, from.identity);

const send = (from, to, plaintext) =>
  signal.signalEncrypt(plaintext, to.address, from.address, from.sessions, from.identity);

const receive = (to, from, message) => {
  const bytes = message.serialize();
  return message.type() === signal.CiphertextMessageType.PreKey
    ? signal.signalDecryptPreKey(
        signal.PreKeySignalMessage.deserialize(bytes),
        from.address,
        to.address,
        to.sessions,
        to.identity,
        to.preKeys,
        to.signed,
        to.kyber,
      )
    : signal.signalDecrypt(
        signal.SignalMessage.deserialize(bytes),
        from.address,
        to.address,
        to.sessions,
        to.identity,
      );
};

export const signalPair = async () => {
  const [a, b] = [device('a'), device('b')];
  const pass = async (from, to, plaintext) => {
    const opened = await receive(to, from, await send(from, to, plaintext));
    if (opened.length !== plaintext.length) throw new Error('libsignal: another text');
  };
  await start(a, b, bundleOf(b));
  await pass(a, b, new Uint8Array(1));
  await pass(b, a, new Uint8Array(1));
  const ready = [];
  return {
    oneWay: (plaintext) => pass(a, b, plaintext),
    turn: async (plaintext) => {
      await pass(a, b, plaintext);
      await pass(b, a, plaintext);
    },
    prepare: (handshakes) => {
      for (let i = 0; i < handshakes; i += 1) {
        const [from, to] = [device('x'), device('y')];
        ready.push({ from, to, bundle: bundleOf(to) });
      }
    },
    handshake: async (plaintext) => {
      const { from, to, bundle } = ready.pop();
      await start(from, to, bundle);
      await pass(from, to, plaintext);
    },
  };
};
