import { bucketStartMs, Granularity, type GranularityName } from '../model/granularity.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS } from '../model/time-range.ts';
import type { EngineContext } from './context.ts';
import { type Family, readFamily } from './derived-maintenance.ts';
import { workToCome } from './level-maintenance.ts';
import { outputOffsetMs } from './output-offset.ts';

/**
 * The instant of inputs before which neither a derived stream nor anything that it comes from is stale, or has
 * still to be computed; +Infinity when all is as it should be.
 */
export async function settledUntilMs(
  context: EngineContext,
  { derived, list, sources }: Family,
): Promise<number> {
  let untilMs = derived.record.stale[0]?.startMs ?? Number.POSITIVE_INFINITY;
  for (const [index, source] of sources.entries()) {
    const { granularity } = list[index]!;
    untilMs = Math.min(untilMs, await rowsSettledUntilMs(context, source, granularity));
  }
  return untilMs;
}

/** As `settledUntilMs`, of the rows of a stream. */
async function rowsSettledUntilMs(
  context: EngineContext,
  source: StreamSnapshot,
  name: GranularityName,
): Promise<number> {
  const { record } = source;
  const rawMs =
    record.derivation === null
      ? Number.POSITIVE_INFINITY
      : (await settledUntilMs(context, await readFamily(context, record.id))) +
        outputOffsetMs(record.derivation);
  if (name === record.highestGranularity) return rawMs;
  const work = workToCome(context, source, TIME_END_MS).filter(
    ({ granularity }) => granularity.name === name,
  );
  return Math.min(
    bucketStartMs(rawMs, Granularity.byName(name)),
    ...work.map(({ range }) => range.startMs),
  );
}
