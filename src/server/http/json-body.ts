import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.ts';

/** Lists and objects inside each other, at most: whatever walks through a body can walk through it. */
const DEPTH_MAX = 100;

/** Has bodies of JSON refused that are nested deeper than anything that is asked for. */
export function limitJsonDepth(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      parse(request, body, (error, value) => {
        if (error !== null) done(error);
        else if (isDeeper(value, DEPTH_MAX)) done(tooDeep());
        else done(null, value);
      });
    },
  );
}

function isDeeper(value: unknown, depthMax: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return true;
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? Object.values(item) : [],
    );
  }
  return false;
}

function tooDeep(): Problem {
  return new Problem(400, `The body is nested more than ${DEPTH_MAX} deep.`, {
    code: 'INVALID_REQUEST',
  });
}
