import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_SIZE_BYTES = 32;
const TOKEN_PREFIX = 'dse_';
const CSRF_PURPOSE = 'datastream csrf';

/** 256 random bits as text that fits into URLs, headers and cookies. */
export function newSecret(): string {
  return randomBytes(SECRET_SIZE_BYTES).toString('base64url');
}

/** A new API token; its prefix lets scanners, and us, know one when they see it. */
export function newApiToken(): string {
  return TOKEN_PREFIX + newSecret();
}

export function isApiToken(text: string): boolean {
  return text.startsWith(TOKEN_PREFIX);
}

/** What is stored of a secret with 256 random bits: nobody guesses those, so nothing slower is needed. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The token that changes made with this session must show: who has only the cookie sent cannot know it. */
export function csrfTokenOf(sessionSecret: string): string {
  return createHmac('sha256', sessionSecret).update(CSRF_PURPOSE).digest('base64url');
}

/** Takes the same time whatever differs. */
export function isSameSecret(a: string, b: string): boolean {
  // Of equal length, as the comparison asks for, and saying nothing about the texts' own lengths.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
