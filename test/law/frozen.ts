import type { Granularity } from '../../src/model/granularity.ts';
import type { Row } from './bucket.ts';
import type { Model, ModelStream } from './model.ts';
import { granularityOf } from './units.ts';

/** What of a derived stream stays as it is, because something that it comes from has expired, or some of its own. */
export interface Frozen {
  /** The rows before it. */
  readonly until: number;
  readonly rows: readonly Row[];
}

/** Notes for the model up to where derived streams cannot follow changes any more, with what they have there. */
export function freeze(streams: readonly ModelStream[], model: Model): void {
  const frozen = streams.map((stream) => {
    const until = frozenUntil(stream);
    if (until <= (stream.frozen?.until ?? Number.NEGATIVE_INFINITY)) return stream.frozen;
    return { until, rows: model.rows(stream).filter(({ t }) => t < until) };
  });
  for (const [index, stream] of streams.entries()) {
    const now = frozen[index];
    if (now !== undefined) stream.frozen = now;
  }
}

/** Notes what stays of a stream that derives otherwise from now on. */
export function freezeRedefined(stream: ModelStream, rows: readonly Row[]): void {
  const until = frozenUntil(stream);
  stream.frozen = { until, rows: rows.filter(({ t }) => t < until) };
}

/** The time of the first output that can be computed from inputs that are kept. */
function frozenUntil(stream: ModelStream): number {
  const { derivation, highest } = stream;
  if (derivation === null) return Number.NEGATIVE_INFINITY;
  const offset = Number(derivation.args?.['offset'] ?? 0);
  const cuts = derivation.sources.map((source) => {
    return keptFrom(source.stream, source.level ?? source.stream.highest);
  });
  const cut = Math.max(...cuts) + offset;
  const isOfBuckets =
    derivation.isOverQuery || derivation.op === 'sum' || derivation.op === 'expression';
  // All inputs of a bucket are kept in which they begin to expire.
  const computable = isOfBuckets ? Math.floor(cut / highest) * highest : cut;
  return Math.max(computable, keptFrom(stream, highest));
}

/**
 * The last output that has stayed and is no null, of those that the definition gave: what goes on from its own outputs
 * goes on from it.
 */
export function lastFrozen({ frozen, derivation }: ModelStream): Row | null {
  const after = Math.max(...derivation!.sources.map((source) => source.after));
  return frozen?.rows.findLast(({ t, v }) => t > after && v !== null) ?? null;
}

/** From when on rows of a granularity, or of one of so many seconds, have not expired. */
export function keptFrom({ expired }: ModelStream, level: number | Granularity): number {
  const { name } = typeof level === 'number' ? granularityOf(level) : level;
  return expired?.get(name) ?? Number.NEGATIVE_INFINITY;
}
