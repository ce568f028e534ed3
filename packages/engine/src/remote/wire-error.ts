import { RelayError } from '@sotto/contract/errors';
import { CryptoError } from '@sotto/crypto/errors';
import { EngineError } from '../errors.ts';
import { StoreError } from '../ports.ts';

/** An error as it goes from one thread to another, which keeps neither class nor code of it. */
export interface WireError {
  name: string;
  code?: string;
  message: string;
  detail?: string;
  retryAfter?: number;
}

export const toWire = (error: unknown): WireError => {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const { code, detail, retryAfter } = error as { code?: unknown; detail?: unknown; retryAfter?: unknown };
  return {
    name,
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof detail === 'string' && { detail }),
    ...(typeof retryAfter === 'number' && { retryAfter }),
  };
};

/** An instance of the class that it was one of. */
export const fromWire = ({ name, code, message, detail, retryAfter }: WireError): Error => {
  const make: Record<string, () => Error> = {
    RelayError: () => new RelayError(code as RelayError['code'], detail, { retryAfter }),
    StoreError: () => new StoreError(code as StoreError['code']),
    CryptoError: () => new CryptoError(code as CryptoError['code']),
    EngineError: () => new EngineError(code as EngineError['code']),
  };
  const error = make[name]?.() ?? Object.assign(new Error(message), code !== undefined && { code });
  error.message = message;
  return error;
};
