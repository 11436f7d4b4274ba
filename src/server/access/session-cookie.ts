import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OpenSession } from './sessions.ts';

/** With TLS, the prefix has browsers refuse such a cookie from any other host, or without TLS. */
const SECURE_NAME = '__Host-datastream';
const PLAIN_NAME = 'datastream';

/** Name of the cookie that holds the session. */
export function sessionCookieName(request: FastifyRequest): string {
  return isSecure(request) ? SECURE_NAME : PLAIN_NAME;
}

/** Has the browser keep the session: out of reach of scripts, and not sent along from other sites' forms. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, expiresAtMs }: OpenSession,
): void {
  reply.setCookie(sessionCookieName(request), secret, {
    ...attributes(request),
    expires: new Date(expiresAtMs),
  });
}

/** Has the browser forget it. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(sessionCookieName(request), attributes(request));
}

function attributes(request: FastifyRequest): {
  path: '/';
  httpOnly: true;
  sameSite: 'lax';
  secure: boolean;
} {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure(request) };
}

function isSecure({ protocol }: FastifyRequest): boolean {
  return protocol === 'https';
}
