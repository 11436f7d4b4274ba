import type { Edits } from '../../model/edits.ts';
import { type GranularityName, RAW_GRANULARITIES } from '../../model/granularity.ts';
import type { Expiry, Retention } from '../../model/retention.ts';
import type { RangeSet } from '../../model/staleness.ts';
import type {
  Dependent,
  Derivation,
  LevelState,
  StreamId,
  StreamRecord,
  ValueType,
  ValueTypeOptions,
} from '../../model/stream.ts';

/**
 * Downsamplers that are stored as their index here; others as their name. Only ever added to, at
 * the end.
 */
const DOWNSAMPLER_NAMES: readonly string[] = [
  'mean',
  'sum',
  'min',
  'max',
  'count',
  'sum_squares',
  'std_dev',
  'median',
  'most_often',
  'least_often',
  'frequencies',
];
const DOWNSAMPLER_CODES: ReadonlyMap<string, number> = new Map(
  DOWNSAMPLER_NAMES.map((name, code) => [name, code]),
);
const GRANULARITY_KEYS: ReadonlyMap<GranularityName, string> = new Map(
  RAW_GRANULARITIES.map(({ name, key }) => [name, key]),
);
const GRANULARITY_NAMES: ReadonlyMap<string, GranularityName> = new Map(
  RAW_GRANULARITIES.map(({ name, key }) => [key, name]),
);

/** What a record says beside its id and its tags. */
export type RecordBody = Omit<StreamRecord, 'id' | 'tags'>;

/**
 * A body as JSON without what most have. Granularities are letters, but for extra levels; downsamplers are
 * numbers; the names of both are read as well, which older records have.
 */
export interface LeanBody {
  /** Absent: numeric. */
  readonly v?: ValueType;
  readonly o?: ValueTypeOptions;
  readonly d?: readonly (number | string)[];
  readonly g: string;
  /** Time zone of the extra levels. Absent: UTC. */
  readonly z?: string;
  /** Extra levels. */
  readonly e?: readonly string[];
  readonly f?: Derivation;
  readonly p?: readonly LeanDependent[];
  readonly s?: RangeSet;
  readonly l?: LeanLevels;
  /** Absent: false. */
  readonly r?: true;
  readonly k?: Retention;
  readonly x?: Expiry;
  /** The number of edits, then where the last of them began. */
  readonly n?: readonly number[];
}

type LeanDependent = readonly [
  StreamId,
  Dependent['op'],
  string,
  ...(readonly [] | readonly [Dependent['args']]),
];

/** Of each level its watermark, and the stale ranges if there are any. */
interface LeanLevels {
  readonly [granularity: string]: number | null | readonly [number | null, RangeSet];
}

export function leanBody(record: StreamRecord): LeanBody {
  const { valueType, valueTypeOptions, valueDownsamplers, derivation, dependents } = record;
  const { timeZone, extraLevels } = record;
  return {
    ...(valueType !== 'numeric' && { v: valueType }),
    ...(!isEmpty(valueTypeOptions) && { o: valueTypeOptions }),
    ...(valueDownsamplers.length > 0 && { d: valueDownsamplers.map(downsamplerCode) }),
    g: granularityKey(record.highestGranularity),
    ...(timeZone !== undefined && { z: timeZone }),
    ...(extraLevels !== undefined && { e: extraLevels }),
    ...(derivation !== null && { f: derivation }),
    ...(dependents.length > 0 && { p: dependents.map(leanDependent) }),
    ...(record.stale.length > 0 && { s: record.stale }),
    ...(!isEmpty(record.levels) && { l: leanLevels(record.levels) }),
    ...(record.isRefilling && { r: true }),
    ...(record.retention && { k: record.retention }),
    ...(record.expiry && { x: record.expiry }),
    ...(record.edits && { n: [record.edits.count, ...record.edits.fromMs] }),
  };
}

export function fullBody(lean: LeanBody): RecordBody {
  return {
    valueType: lean.v ?? 'numeric',
    valueTypeOptions: lean.o ?? {},
    valueDownsamplers: (lean.d ?? []).map(downsamplerName),
    highestGranularity: granularityName(lean.g),
    ...(lean.z !== undefined && { timeZone: lean.z }),
    ...(lean.e !== undefined && { extraLevels: lean.e }),
    derivation: lean.f ?? null,
    dependents: (lean.p ?? []).map(fullDependent),
    stale: lean.s ?? [],
    levels: fullLevels(lean.l ?? {}),
    ...(lean.r && { isRefilling: true }),
    ...(lean.k && { retention: lean.k }),
    ...(lean.x && { expiry: lean.x }),
    ...(lean.n && { edits: fullEdits(lean.n) }),
  };
}

function downsamplerCode(name: string): number | string {
  return DOWNSAMPLER_CODES.get(name) ?? name;
}

function downsamplerName(code: number | string): string {
  return typeof code === 'number' ? DOWNSAMPLER_NAMES[code]! : code;
}

function granularityKey(name: GranularityName): string {
  return GRANULARITY_KEYS.get(name) ?? name;
}

function granularityName(text: string): GranularityName {
  return GRANULARITY_NAMES.get(text) ?? (text as GranularityName);
}

function leanDependent({ streamId, op, granularity, args }: Dependent): LeanDependent {
  const key = granularityKey(granularity);
  return isEmpty(args) ? [streamId, op, key] : [streamId, op, key, args];
}

function fullDependent([streamId, op, granularity, args = {}]: LeanDependent): Dependent {
  return { streamId, op, args, granularity: granularityName(granularity) };
}

function fullEdits([count, ...fromMs]: readonly number[]): Edits {
  return { count: count!, fromMs };
}

function leanLevels(levels: StreamRecord['levels']): LeanLevels {
  const names = Object.keys(levels) as GranularityName[];
  return Object.fromEntries(
    names.map((name) => {
      const { untilMs, stale } = levels[name]!;
      return [granularityKey(name), stale.length === 0 ? untilMs : [untilMs, stale]];
    }),
  );
}

function fullLevels(levels: LeanLevels): StreamRecord['levels'] {
  return Object.fromEntries(
    Object.entries(levels).map(([key, level]) => [granularityName(key), fullLevel(level)]),
  );
}

function fullLevel(level: LeanLevels[string]): LevelState {
  if (level === null || typeof level === 'number') return { untilMs: level, stale: [] };
  const [untilMs, stale] = level;
  return { untilMs, stale };
}

function isEmpty(value: object): boolean {
  for (const _name in value) return false;
  return true;
}
