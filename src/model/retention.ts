import type { Granularity, GranularityName } from './granularity.ts';
import { ladderOf } from './ladder.ts';
import type { StreamRecord } from './stream.ts';

/** For how long rows are kept, in milliseconds; null: for ever. `raw` are the raw datapoints. */
export type Retention = Readonly<Partial<Record<'raw' | GranularityName, number | null>>>;

/** What of a stream is gone because it had been kept long enough. */
export interface Expiry {
  /** The first datapoint that the stream ever had: levels begin with its bucket. */
  readonly originMs: number;
  /** By granularity, the highest included: rows before it have expired, and never come back. */
  readonly untilMs: Readonly<Partial<Record<GranularityName, number>>>;
  /** Where rows before that are still there, because something later is computed from them: the first of these. */
  readonly fromMs?: Readonly<Partial<Record<GranularityName, number>>>;
  /** By level: its rows before it have the components of an older definition, and could not be computed anew. */
  readonly filledMs?: Readonly<Partial<Record<GranularityName, number>>>;
}

/** What decides for how long rows of a stream are kept. */
type KeptRecord = Pick<StreamRecord, 'highestGranularity' | 'retention'>;

/** For how long each granularity of a stream is kept, from the finest; infinite: for ever. */
export function keptDurations(
  record: KeptRecord,
): readonly { readonly granularity: Granularity; readonly durationMs: number }[] {
  const { retention = {} } = record;
  const { raw, levels } = ladderOf(record);
  let durationMs = retention.raw ?? Number.POSITIVE_INFINITY;
  const kept = [{ granularity: raw, durationMs }];
  for (const granularity of levels) {
    const own = retention[granularity.name];
    if (own !== undefined) durationMs = own ?? Number.POSITIVE_INFINITY;
    kept.push({ granularity, durationMs });
  }
  return kept;
}

/** Rows of that granularity before it have expired; -Infinity when none have. */
export function expiredUntilMs(
  { expiry }: Pick<StreamRecord, 'expiry'>,
  name: GranularityName,
): number {
  return expiry?.untilMs[name] ?? Number.NEGATIVE_INFINITY;
}

/** No row of that granularity is older; -Infinity when none have expired. */
export function rowsFromMs(record: Pick<StreamRecord, 'expiry'>, name: GranularityName): number {
  return record.expiry?.fromMs?.[name] ?? expiredUntilMs(record, name);
}
