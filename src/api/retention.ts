import type { BackendManifest } from '../backends/manifest.ts';
import { NotSupported, UnsupportedGranularity } from '../exceptions/errors.ts';
import { durationOf, durationText } from '../model/duration.ts';
import type { GranularityName } from '../model/granularity.ts';
import { type LadderRecord, ladderOf } from '../model/ladder.ts';
import { keptDurations, type Retention } from '../model/retention.ts';
import { shownValue } from '../model/shown-value.ts';
import type { StreamRecord } from '../model/stream.ts';
import { isTagObject } from '../model/tags.ts';
import type { RetentionOptions } from './types.ts';

/**
 * Reads for how long rows are kept; null: for ever.
 * @throws {TypeError} when it is no object of durations.
 */
export function checkRetention(options: RetentionOptions | null | undefined): Retention | null {
  if (options === undefined || options === null) return null;
  if (!isTagObject(options)) {
    throw new TypeError("Expected retention as an object such as { raw: '30d', hours: null }.");
  }
  const entries = Object.entries(options).filter(([, duration]) => duration !== undefined);
  if (entries.length === 0) return null;
  return Object.fromEntries(
    entries.map(([name, duration]) => [name, checkDuration(name, duration)]),
  );
}

function checkDuration(name: string, duration: unknown): number | null {
  if (duration === null) return null;
  const durationMs = typeof duration === 'string' ? durationOf(duration) : null;
  if (durationMs !== null) return durationMs;
  throw new TypeError(
    `Not a duration for which ${name} could be kept: ${shownValue(duration)}; ` +
      "expected e.g. '12h', '30d', '1y', or null for ever.",
  );
}

/**
 * Checks that a stream with these levels can keep its rows so.
 * @throws {UnsupportedGranularity} for a level that it does not have.
 * @throws {RangeError} when a coarser level would be kept for less time than a finer one.
 * @throws {NotSupported} on a store that computes levels from raw datapoints when they are read.
 */
export function checkRetained(
  record: LadderRecord & { readonly retention: Retention },
  { levels: kind }: Pick<BackendManifest, 'levels'>,
): void {
  if (kind === 'computed') {
    throw new NotSupported(
      'This store computes levels from raw datapoints when they are read: it has no retention.',
    );
  }
  const { raw, levels } = ladderOf(record);
  const known = ['raw', ...levels.map(({ name }) => name)];
  const unknown = Object.keys(record.retention).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = unknown === raw.name ? ' (its raw datapoints are called raw)' : '';
    throw new UnsupportedGranularity(
      `The stream has no level ${unknown}${hint}: expected ${known.join(', ')}.`,
    );
  }
  let finer = { name: 'raw', durationMs: 0 };
  for (const { granularity, durationMs } of keptDurations(record)) {
    const name = granularity === raw ? 'raw' : granularity.name;
    if (durationMs < finer.durationMs) {
      throw new RangeError(
        `Retention shrinks from ${finer.name} to ${name}: a coarser level is kept at least as long.`,
      );
    }
    finer = { name, durationMs };
  }
}

/** What callers get to know of retention, as they give it; null: everything is kept for ever. */
export function describeRetention({ retention }: StreamRecord): RetentionOptions | null {
  if (retention === undefined) return null;
  const entries = Object.entries(retention) as [string, number | null][];
  return Object.fromEntries(
    entries.map(([name, durationMs]) => [
      name,
      durationMs === null ? null : durationText(durationMs),
    ]),
  );
}

/** Of each granularity of which rows have expired, until when. */
export function describeExpiry({
  expiry,
}: StreamRecord): Readonly<Partial<Record<GranularityName, Date>>> {
  const entries = Object.entries(expiry?.untilMs ?? {}) as [string, number][];
  return Object.fromEntries(entries.map(([name, untilMs]) => [name, new Date(untilMs)]));
}
