import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../state/service-error.ts';
import type { Access } from './access.ts';
import { isLoopback, isLoopbackHost } from './addresses.ts';
import type { Actor } from './audit.ts';
import { type Credentials, credentialsOf, parseAuthorization } from './credentials.ts';
import { ANONYMOUS, hasScope, type Identity, isAdminWithin, type Permission } from './identity.ts';
import { isSameSecret } from './secrets.ts';
import { sessionCookieName } from './session-cookie.ts';
import type { OpenSession } from './sessions.ts';

/** Who may call a route; what is then done to which stream, the route's handler decides by the policy. */
export type RouteAccess = 'public' | 'signed-in' | 'admin' | { readonly scope: Permission };

interface ProtectedRoute {
  /** As in `GET /api/v1/streams/:id`. */
  readonly name: string;
  /** Undefined where it was forgotten: nobody is let in. */
  readonly access: RouteAccess | undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** Whether a GET changes something, so that it needs what other methods need. */
    isUnsafe?: boolean;
    /** Name of a query parameter with the session's token, for forms of pages without scripts. */
    csrfTokenInQuery?: string;
    /** Names of query parameters with a user and a password, or a token, for clients that have no other way. */
    credentialsInQuery?: { readonly name: string; readonly password: string };
  }
  interface FastifyInstance {
    /** Every method and address that `protectRoutes` watches over. */
    protectedRoutes: readonly ProtectedRoute[];
  }
  interface FastifyRequest {
    identity: Identity;
    /** Of the cookie; null for every other way to come. */
    session: OpenSession | null;
  }
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const CSRF_HEADER = 'x-csrf-token';
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];
const BEARER_CHALLENGE = 'Bearer realm="datastream"';
const BASIC_CHALLENGE = 'Basic realm="datastream", charset="UTF-8"';

/**
 * Lets requests to the app's routes in, or not: finds out who asks and holds that against the `access` of
 * the route. Needs `@fastify/cookie`. Every route that is added from here on must say its access: the app
 * does not become ready while one does not.
 */
export function protectRoutes(app: FastifyInstance, access: Access): void {
  const routes: ProtectedRoute[] = [];
  app.decorate('protectedRoutes', routes);
  // Fastify keeps objects out of decorators; the hook sets it for every request.
  app.decorateRequest('identity', null as unknown as Identity);
  app.decorateRequest('session', null);
  app.addHook('onRoute', (options) => {
    for (const method of [options.method].flat()) {
      routes.push({
        name: `${method} ${options.url}`,
        // Hooks that run later may still say it.
        get access() {
          return options.config?.access;
        },
      });
    }
  });
  app.addHook('onReady', async () => {
    const open = routes.filter(({ access: declared }) => declared === undefined);
    if (open.length === 0) return;
    const names = open.map(({ name }) => name).join(', ');
    throw new Error(`Routes that do not say who may call them (config.access): ${names}.`);
  });
  app.addHook('onRequest', async (request, reply) => {
    request.identity = ANONYMOUS;
    // What does not exist is nobody's secret.
    if (request.is404) return;
    await identify(request, reply, access);
    try {
      assertAllowed(request, access);
    } catch (error) {
      if (error instanceof ServiceError && error.statusCode === 401) challenge(request, reply);
      throw error;
    }
  });
}

/** Who makes the changes of a request, for the audit log. */
export function actorOf({ identity, ip }: FastifyRequest): Actor {
  return { identity, address: ip };
}

/**
 * Who a request that goes on for long is by now, as when it was let in: null when what it showed is no longer
 * good, or no longer enough, so that it is to be ended.
 */
export async function identifyAgain(
  request: FastifyRequest,
  access: Access,
): Promise<Identity | null> {
  let caller: Caller;
  try {
    caller = await callerOf(request, access);
  } catch (error) {
    if (error instanceof ServiceError) return null;
    throw error;
  }
  const { identity } = caller;
  const isOver = identity.kind === 'anonymous' && request.identity.kind !== 'anonymous';
  return isOver || !isAdmitted(request, identity, access) ? null : identity;
}

interface Caller {
  readonly identity: Identity;
  readonly session: OpenSession | null;
  readonly hasPassword: boolean;
}

async function identify(
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
): Promise<void> {
  let caller: Caller;
  try {
    caller = await callerOf(request, access);
  } catch (error) {
    if (error instanceof ServiceError && error.statusCode === 401) challenge(request, reply);
    throw error;
  }
  request.identity = caller.identity;
  request.session = caller.session;
  if (caller.hasPassword) assertNotFromElsewhere(request);
  if (caller.session !== null) assertCsrfToken(request, caller.session);
}

async function callerOf(request: FastifyRequest, access: Access): Promise<Caller> {
  const nobody: Caller = { identity: ANONYMOUS, session: null, hasPassword: false };
  if (access.settings.isOpen && isLocal(request) && !access.hasUsers && !isMeant(request)) {
    return { ...nobody, identity: { ...ANONYMOUS, name: 'local', isAdmin: true } };
  }
  const credentials = credentialsIn(request);
  const identity = await access.identify(credentials, request.ip);
  if (identity !== null) {
    return { ...nobody, identity, hasPassword: credentials.kind === 'password' };
  }
  const cookie = request.cookies[sessionCookieName(request, access.settings.session)];
  const found = cookie === undefined ? null : access.identifySession(cookie);
  return found === null ? nobody : { ...nobody, ...found };
}

/**
 * Whether somebody shows credentials on purpose, which cannot be right before there are users: they are refused.
 * Clients of other systems send a name, or a token of theirs, in any case.
 */
function isMeant({ headers: { authorization } }: FastifyRequest): boolean {
  if (authorization === undefined) return false;
  return (
    /^\s*bearer\b/i.test(authorization) || parseAuthorization(authorization).kind === 'malformed'
  );
}

function credentialsIn(request: FastifyRequest): Credentials {
  const { credentialsInQuery } = request.routeOptions.config;
  const { authorization } = request.headers;
  if (authorization !== undefined || credentialsInQuery === undefined) {
    return parseAuthorization(authorization);
  }
  const query = request.query as Readonly<Record<string, unknown>>;
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '');
  const name = text(credentialsInQuery.name);
  const password = text(credentialsInQuery.password);
  return name === '' && password === '' ? { kind: 'none' } : credentialsOf(name, password);
}

function assertAllowed(request: FastifyRequest, access: Access): void {
  const { identity } = request;
  if (isAdmitted(request, identity, access)) return;
  if (identity.kind === 'anonymous') {
    throw new ServiceError('UNAUTHENTICATED', 'Log in, or send a token, to do this.');
  }
  const required = request.routeOptions.config.access;
  const needed = typeof required === 'object' ? `the scope ${required.scope}` : 'an admin';
  throw new ServiceError('FORBIDDEN', `This needs ${needed}.`);
}

function isAdmitted(
  { routeOptions }: FastifyRequest,
  identity: Identity,
  { policy }: Access,
): boolean {
  const required = routeOptions.config.access;
  if (required === undefined) return false;
  if (required === 'public') return true;
  if (required === 'admin') return isAdminWithin(identity);
  const isKnown = identity.kind !== 'anonymous' || identity.isAdmin;
  if (required === 'signed-in') return isKnown;
  const { scope } = required;
  return isKnown ? hasScope(identity, scope) : policy.canAnywhere(identity, scope);
}

function challenge(request: FastifyRequest, reply: FastifyReply): void {
  // A browser would ask for a password in a window of its own; our page does that better.
  const isBrowser = request.headers['sec-fetch-mode'] !== undefined;
  reply.header(
    'www-authenticate',
    isBrowser ? [BEARER_CHALLENGE] : [BEARER_CHALLENGE, BASIC_CHALLENGE],
  );
}

function isUnsafe(request: FastifyRequest): boolean {
  return request.routeOptions.config.isUnsafe === true || !SAFE_METHODS.has(request.method);
}

/** A browser sends the cookie with whatever any page makes it ask for; the token only our page knows. */
function assertCsrfToken(request: FastifyRequest, session: OpenSession): void {
  if (!isUnsafe(request)) return;
  const { csrfTokenInQuery } = request.routeOptions.config;
  const query = request.query as Readonly<Record<string, unknown>>;
  const token =
    request.headers[CSRF_HEADER] ??
    (csrfTokenInQuery === undefined ? undefined : query[csrfTokenInQuery]);
  if (typeof token === 'string' && isSameSecret(token, session.csrfToken)) return;
  throw new ServiceError(
    'CSRF_TOKEN_INVALID',
    `Changes that are made with a session show its token in the header ${CSRF_HEADER}.`,
  );
}

/** A browser that once was given a password sends it by itself, too. */
function assertNotFromElsewhere(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (!isUnsafe(request) || site === undefined || site === 'same-origin' || site === 'none') return;
  throw new ServiceError('CSRF_TOKEN_INVALID', 'Changes with a password come from no other page.');
}

/**
 * Whether somebody on this host asks, himself: not through a proxy on it, and not through a page from
 * elsewhere in his browser, not even one whose name was made to lead here.
 */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  if (!isLoopback(socket.remoteAddress ?? '')) return false;
  if (FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) return false;
  if (!isLoopbackHost(headers.host ?? '')) return false;
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') return false;
  return headers.origin === undefined || headers.origin.endsWith(`//${headers.host}`);
}
