import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './http/problem.ts';

/** Where the built dashboard is: beside the compiled service, or in `dist` when this runs from its source. */
const FOLDERS = [
  join(import.meta.dirname, '..', 'web'),
  join(import.meta.dirname, '..', '..', 'dist', 'web'),
];
/** The bundler puts a hash of the content into these names: what is behind one never changes. */
const HASHED = /^assets\//;
/** Below these there are no pages, whoever asks. */
const OUR_ROUTES = /^\/(?:api|docs|service)(?:[/?]|$)/;

/**
 * Serves the dashboard: its files, and the one page for every other path that a browser opens, which is an address
 * inside it. To a program, what does not exist is an error, not a page.
 */
export async function serveDashboard(app: FastifyInstance): Promise<void> {
  const folder = FOLDERS.find((path) => existsSync(join(path, 'index.html')));
  await app.register(fastifyStatic, {
    root: folder ?? FOLDERS[0]!,
    serve: false,
    cacheControl: false,
  });
  app.get<{ Params: { '*': string } }>(
    '/*',
    { config: { access: 'public' }, schema: { hide: true } },
    (request, reply) => {
      const path = request.params['*'];
      if (folder === undefined) {
        throw new Problem(404, 'The dashboard is not built: `npm run build` makes it.');
      }
      const isFile = path !== 'index.html' && /\.\w+$/.test(path);
      const isPage = path === '' || path === 'index.html' || asksForPage(request);
      if (!isFile && !isPage) {
        reply.callNotFound();
        return reply;
      }
      if (!isFile) return reply.header('cache-control', 'no-cache').sendFile('index.html');
      const caching = HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
      return reply.header('cache-control', caching).sendFile(path);
    },
  );
}

/** Programs of ours and of others take anything, or name what they want; browsers name pages when one is opened. */
function asksForPage({ headers, url }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true && !OUR_ROUTES.test(url);
}
