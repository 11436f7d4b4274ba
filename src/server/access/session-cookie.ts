import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OpenSession } from './sessions.ts';
import type { SessionSettings } from './settings.ts';

/** With TLS, the prefix has browsers refuse such a cookie from any other host, or without TLS. */
const SECURE_NAME = '__Host-datastream';
const PLAIN_NAME = 'datastream';

type Settings = Pick<SessionSettings, 'isSecure'>;

/** Name of the cookie that holds the session. */
export function sessionCookieName(request: FastifyRequest, settings: Settings): string {
  return isSecure(request, settings) ? SECURE_NAME : PLAIN_NAME;
}

/** Has the browser keep the session: out of reach of scripts, and not sent along from other sites' forms. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { session: { secret, expiresAtMs }, settings }: { session: OpenSession; settings: Settings },
): void {
  reply.setCookie(sessionCookieName(request, settings), secret, {
    ...attributes(request, settings),
    expires: new Date(expiresAtMs),
  });
}

/** Has the browser forget it. */
export function clearSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  settings: Settings,
): void {
  reply.clearCookie(sessionCookieName(request, settings), attributes(request, settings));
}

function attributes(
  request: FastifyRequest,
  settings: Settings,
): {
  path: '/';
  httpOnly: true;
  sameSite: 'lax';
  secure: boolean;
} {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure(request, settings) };
}

function isSecure({ protocol }: FastifyRequest, settings: Settings): boolean {
  return settings.isSecure || protocol === 'https';
}
