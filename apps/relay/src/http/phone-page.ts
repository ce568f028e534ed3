import { RelayError } from '@sotto/contract/errors';
import type { RequestHandler } from 'express';
import type { Config } from '../config.ts';

const GOOGLE = 'https://www.google.com/recaptcha/';

/**
 * Of the page on which a phone number is proven alone: Firebase sends the code, and reCAPTCHA asks whether somebody is a
 * person. That writes styles into what it shows and takes no Trusted Types.
 */
const policy = (emulator: string | undefined): string =>
  [
    "default-src 'none'",
    `script-src 'self' ${GOOGLE} https://www.gstatic.com/recaptcha/`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: https://www.gstatic.com/recaptcha/",
    `connect-src 'self' https://identitytoolkit.googleapis.com https://securetoken.googleapis.com ${GOOGLE}${emulator === undefined ? '' : ` http://${emulator}`}`,
    `frame-src ${GOOGLE} https://recaptcha.google.com/recaptcha/`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join(';');

/** Before the files of the app: the page is there only where the host has set it up. */
export const phonePage = ({
  registration,
  firebase,
}: Pick<Config, 'registration' | 'firebase'>): RequestHandler => {
  const demanded = registration.phone ? policy(firebase?.emulatorHost) : undefined;
  return (_request, response, next) => {
    if (demanded === undefined) throw new RelayError('not-found');
    response.set('content-security-policy', demanded);
    // A key of Firebase may be bound to the pages that use it.
    response.set('referrer-policy', 'strict-origin');
    next();
  };
};
