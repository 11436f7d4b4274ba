import type { Write } from '../backends/backend.ts';
import { UnsupportedGranularity } from '../exceptions/errors.ts';
import { EMPTY_BLOCK } from '../model/block.ts';
import { bucketCeilMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import { type Ladder, type LadderRecord, ladderOf, type Rung } from '../model/ladder.ts';
import { type Expiry, rowsFromMs } from '../model/retention.ts';
import { addRange } from '../model/staleness.ts';
import type { LevelState, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { ALL_TIME } from '../model/time-range.ts';
import type { ChangedLevels } from './change-levels.ts';
import { levelStartMs } from './expiry.ts';

type ByLevel<Value> = Readonly<Partial<Record<string, Value>>>;

/**
 * Gives a stream other levels beside those that every stream has. A new one is not computed yet; it begins where
 * the level from which it is computed still has everything. One that goes takes its rows with it; what was
 * computed from it is stale.
 * @throws {UnsupportedGranularity} when something of that has expired, and could not be computed anew.
 */
export function withExtraLevels(
  snapshot: StreamSnapshot,
  { timeZone, extraLevels }: Pick<LadderRecord, 'timeZone' | 'extraLevels'>,
): ChangedLevels {
  const { timeZone: _timeZone, extraLevels: _extraLevels, ...rest } = snapshot.record;
  const changed: StreamRecord = {
    ...rest,
    ...(timeZone !== undefined && { timeZone }),
    ...(extraLevels !== undefined && { extraLevels }),
  };
  const before = ladderOf(snapshot.record);
  const after = ladderOf(changed);
  const dropped = before.levels.filter((level) => !after.has(level));
  const added = after.rungs.filter(({ granularity }) => !before.has(granularity));
  const record = withoutDropped(changed, dropped);
  return {
    record: withBeginnings(withOtherSources({ ...snapshot, record }, before, after), after, added),
    writes: removals(snapshot.record, dropped),
  };
}

function removals(
  { id: streamId, levels }: StreamRecord,
  dropped: readonly Granularity[],
): readonly Write[] {
  const stored = dropped.filter(({ name }) => (levels[name]?.untilMs ?? null) !== null);
  return stored.map((granularity) => ({
    kind: 'replace',
    streamId,
    granularity,
    range: ALL_TIME,
    block: EMPTY_BLOCK,
  }));
}

/** The record without what it knows of levels that go. */
function withoutDropped(record: StreamRecord, dropped: readonly Granularity[]): StreamRecord {
  const names = new Set<string>(dropped.map(({ name }) => name));
  const without = <Value>(byLevel: ByLevel<Value>): ByLevel<Value> =>
    Object.fromEntries(Object.entries(byLevel).filter(([name]) => !names.has(name)));
  const { levels, expiry } = record;
  const left = { ...record, levels: without(levels) };
  if (expiry === undefined) return left;
  const { originMs, untilMs, fromMs, filledMs } = expiry;
  return {
    ...left,
    expiry: {
      originMs,
      untilMs: without(untilMs),
      ...(fromMs && { fromMs: without(fromMs) }),
      ...(filledMs && { filledMs: without(filledMs) }),
    },
  };
}

/** Levels that are computed from another one than before are stale from their beginning. */
function withOtherSources(snapshot: StreamSnapshot, before: Ladder, after: Ladder): StreamRecord {
  const { record } = snapshot;
  const levels: Partial<Record<keyof StreamRecord['levels'], LevelState>> = { ...record.levels };
  for (const { granularity, finer, isNested } of after.rungs) {
    if (!before.has(granularity)) continue;
    const rung = before.rung(granularity);
    if (rung.finer === finer && rung.isNested === isNested) continue;
    const { untilMs, stale } = levels[granularity.name] ?? { untilMs: null, stale: [] };
    if (untilMs === null) continue;
    if (record.expiry !== undefined) {
      throw new UnsupportedGranularity(
        `The level ${rung.finer} cannot be dropped: ${granularity} is computed from it, and could not be ` +
          `computed from ${finer}, of which something has expired.`,
      );
    }
    const startMs = levelStartMs(snapshot, granularity) ?? untilMs;
    levels[granularity.name] = { untilMs, stale: addRange(stale, { startMs, endMs: untilMs }) };
  }
  return { ...record, levels };
}

/** Lets levels begin where they can be computed from what has not expired. */
function withBeginnings(
  record: StreamRecord,
  ladder: Ladder,
  added: readonly Rung[],
): StreamRecord {
  let { expiry } = record;
  if (expiry === undefined) return record;
  for (const rung of added) expiry = withBeginning(expiry, ladder, rung);
  return { ...record, expiry };
}

function withBeginning(expiry: Expiry, ladder: Ladder, rung: Rung): Expiry {
  const { granularity, finer, isNested } = rung;
  const firstMs = bucketStartMs(expiry.originMs, granularity);
  const finerMs = Math.max(
    rowsFromMs({ expiry }, finer.name),
    expiry.filledMs?.[finer.name] ?? Number.NEGATIVE_INFINITY,
  );
  let startMs = finerMs <= expiry.originMs ? firstMs : bucketCeilMs(finerMs, granularity);
  const rawMs = rowsFromMs({ expiry }, ladder.raw.name);
  if (!isNested && rawMs > startMs) {
    // Odd buckets are made of raw datapoints.
    const range = { startMs, endMs: bucketCeilMs(rawMs, granularity) };
    const odd = ladder.sourcesOf(rung, range).filter((part) => part.finer === ladder.raw);
    const lacking = odd.findLast((part) => part.range.startMs < rawMs);
    startMs = lacking?.range.endMs ?? startMs;
  }
  if (startMs <= firstMs) return expiry;
  return { ...expiry, untilMs: { ...expiry.untilMs, [granularity.name]: startMs } };
}
