import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, sendProblem } from './problem.ts';

/** The methods of one address. */
interface Place {
  readonly pattern: RegExp;
  readonly methods: ReadonlySet<string>;
}

/**
 * Answers requests that no route is for: with 405 and the methods that there are where the address has others,
 * with 404 elsewhere. Needs `protectRoutes`.
 */
export function refuseWithoutRoute(app: FastifyInstance): void {
  let places: readonly Place[] | null = null;
  app.setNotFoundHandler((request, reply) => {
    // Not before there are all routes.
    places ??= placesOf(app);
    refuse(request, reply, places);
  });
}

function refuse(request: FastifyRequest, reply: FastifyReply, places: readonly Place[]): void {
  const { method } = request;
  const path = request.url.split('?', 1)[0]!;
  const methods = places.find(({ pattern }) => pattern.test(path))?.methods;
  if (methods === undefined || methods.has(method)) {
    sendProblem(new Problem(404, `There is no ${method} ${path}.`), request, reply);
    return;
  }
  const allow = [...methods].sort().join(', ');
  const problem = new Problem(405, `${path} takes ${allow}, not ${method}.`, {
    headers: { allow },
  });
  sendProblem(problem, request, reply);
}

function placesOf({ protectedRoutes }: FastifyInstance): readonly Place[] {
  const methods = new Map<string, Set<string>>();
  for (const { name } of protectedRoutes) {
    const [method, url] = name.split(' ') as [string, string];
    // What takes every address below it has nothing to say of one.
    if (url.includes('*')) continue;
    const known = methods.get(url);
    if (known === undefined) methods.set(url, new Set([method]));
    else known.add(method);
  }
  return [...methods].map(([url, known]) => ({ pattern: patternOf(url), methods: known }));
}

function patternOf(url: string): RegExp {
  const source = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
