import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';

const YEAR_S = 31_536_000;

/** Texts that tell each opening of a store from all others. */
const openings = new WeakMap<object, string>();

/**
 * The version of a stream, as clients know it. A store that was put back from a backup gives versions once more, for other
 * data: what was kept of one must not stand for the other, so they differ from one opening of the store to the next.
 */
export function versionOf(
  datastream: Pick<Datastream, 'getStream'>,
  { version }: Pick<Stream, 'version'>,
): string {
  let opening = openings.get(datastream);
  if (opening === undefined) {
    opening = randomBytes(6).toString('base64url');
    openings.set(datastream, opening);
  }
  return `${version}.${opening}`;
}

/**
 * Says how long an answer may be kept. It is what the stream gives at one version: that is its entity tag. A request
 * that names this version never gets another answer, and may keep it for ever; every other one asks again.
 */
export function setCaching(
  reply: FastifyReply,
  {
    version,
    named,
    isLasting,
  }: {
    readonly version: string;
    /** The version that the request is for. */
    readonly named: string | undefined;
    /** Whether the same request gives the same answer as long as the stream does not change. */
    readonly isLasting: boolean;
  },
): void {
  if (!isLasting) {
    reply.header('cache-control', 'no-store');
    return;
  }
  const isNamed = named === version;
  reply.header('etag', `W/"${version}"`);
  reply.header(
    'cache-control',
    isNamed ? `private, max-age=${YEAR_S}, immutable` : 'private, no-cache',
  );
  reply.header('vary', 'accept-encoding, authorization, cookie');
}

/** Whether the client has the answer already. */
export function notModified(reply: FastifyReply, ifNoneMatch: string | undefined): boolean {
  const tag = reply.getHeader('etag');
  if (tag === undefined || ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((candidate) => candidate.trim() === tag);
}

/** Whether a request is about now: its answer changes without the stream. */
export function isRelative(bounds: {
  readonly start?: string | undefined;
  readonly startExclusive?: string | undefined;
  readonly end?: string | undefined;
  readonly endExclusive?: string | undefined;
}): boolean {
  const texts = [bounds.start, bounds.startExclusive, bounds.end, bounds.endExclusive];
  return texts.some(
    (text) => text !== undefined && /^\s*(?:now|[+-](?!\d+(?:\.\d+)?\s*$))/.test(text),
  );
}
