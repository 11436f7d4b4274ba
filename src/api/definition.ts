import type { BackendManifest } from '../backends/manifest.ts';
import type { SourceDescription } from '../derive/operator.ts';
import { operatorOf } from '../derive/registry.ts';
import { expandValueDownsamplers } from '../downsamplers/registry.ts';
import { depthOf, isPendingBackprocess } from '../engine/live-stream.ts';
import {
  IncompatibleGranularities,
  InvalidOperatorArguments,
  StreamNotFound,
  UnsupportedDeriveOperator,
  UnsupportedDownsampler,
  UnsupportedGranularity,
  UnsupportedValueType,
} from '../exceptions/errors.ts';
import { Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import type { Retention } from '../model/retention.ts';
import { shownValue } from '../model/shown-value.ts';
import type {
  Derivation,
  DeriveSource,
  StreamId,
  StreamSnapshot,
  ValueType,
  ValueTypeOptions,
} from '../model/stream.ts';
import { isTagObject, type Tags } from '../model/tags.ts';
import {
  type AskedGranularity,
  checkExtraLevels,
  checkGranularity,
  checkRawGranularity,
  type ExtraLevels,
  localGranularity,
} from './level-checks.ts';
import { checkFlag, checkKeys, isNames } from './option-checks.ts';
import { checkRetention } from './retention.ts';
import { checkTags } from './tag-checks.ts';
import type { DeriveFrom, DeriveQuery, StreamDefinition } from './types.ts';

const VALUE_TYPES: readonly ValueType[] = ['numeric', 'nominal', 'graph'];
const DEFINITION_KEYS: ReadonlySet<string> = new Set<keyof StreamDefinition>([
  'tags',
  'valueDownsamplers',
  'highestGranularity',
  'timeZone',
  'levels',
  'valueType',
  'valueTypeOptions',
  'deriveFrom',
  'deriveOp',
  'deriveArgs',
  'deriveBackprocess',
  'retention',
]);

const SOURCE_KEYS: ReadonlySet<string> = new Set(['name', 'stream', 'granularity']);
const QUERY_KEYS: ReadonlySet<string> = new Set<keyof DeriveQuery>(['query']);

/** What `ensureStream` asks for, checked as far as that needs no other stream. */
export interface CheckedDefinition {
  readonly tags: Tags;
  readonly valueDownsamplers: readonly string[];
  readonly highestGranularity: Granularity;
  readonly extraLevels: ExtraLevels;
  readonly valueType: ValueType;
  readonly valueTypeOptions: ValueTypeOptions;
  readonly derive: CheckedDerivation | null;
  /** Null: for ever. */
  readonly retention: Retention | null;
}

export interface CheckedDerivation {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly sources: readonly {
    readonly name: string | null;
    readonly streamId: StreamId;
    readonly granularity: AskedGranularity | null;
  }[];
  /** In the place of sources; null where they are named. */
  readonly query: Tags | null;
  readonly isBackprocessed: boolean;
}

/**
 * Checks a stream definition.
 * @throws {UnsupportedValueType} {UnsupportedDownsampler} {UnsupportedGranularity}
 * {UnsupportedDeriveOperator} {InvalidOperatorArguments} {ReservedTagNameError} {TypeError}
 */
export function checkDefinition(definition: StreamDefinition): CheckedDefinition {
  checkKeys(definition, DEFINITION_KEYS, 'ensureStream');
  checkFlag(definition.deriveBackprocess, 'deriveBackprocess');
  const valueType = checkValueType(definition.valueType ?? 'numeric');
  const downsamplers: unknown = definition.valueDownsamplers;
  if (!isNames(downsamplers)) {
    throw new TypeError('Expected valueDownsamplers as a list of names; it may be empty.');
  }
  const valueTypeOptions = checkValueTypeOptions(definition.valueTypeOptions ?? {}, valueType);
  const highestGranularity = checkRawGranularity(definition.highestGranularity);
  return {
    tags: checkTags(definition.tags ?? {}, 'tags'),
    valueDownsamplers: expandValueDownsamplers(downsamplers, valueType, valueTypeOptions),
    highestGranularity,
    extraLevels: checkExtraLevels(highestGranularity, definition.levels, definition.timeZone),
    valueType,
    valueTypeOptions,
    derive: checkDerivation(definition, valueType),
    retention: checkRetention(definition.retention),
  };
}

/**
 * Checks that the store can keep what the definition asks for.
 * @throws {UnsupportedValueType} {UnsupportedDownsampler} {UnsupportedGranularity}
 */
export function checkSupported(
  {
    valueDownsamplers,
    valueTypeOptions,
    extraLevels,
  }: Pick<CheckedDefinition, 'valueDownsamplers' | 'valueTypeOptions' | 'extraLevels'>,
  supports: BackendManifest,
): void {
  if (valueTypeOptions.highAccuracy === true && !supports.highAccuracy) {
    throw new UnsupportedValueType('This store has no high-accuracy streams.');
  }
  const [level] = extraLevels.extraLevels ?? [];
  if (level !== undefined && !supports.extraLevels) {
    throw new UnsupportedGranularity(
      `This store has no levels beside those in Granularity.values, such as ${level}.`,
    );
  }
  const { valueDownsamplers: known } = supports;
  const missing = valueDownsamplers.find((name) => known !== 'all' && !known.includes(name));
  if (missing !== undefined && known !== 'all') {
    throw new UnsupportedDownsampler(
      `This store has no value downsampler ${missing}: it has ${known.join(', ')}.`,
    );
  }
}

function checkValueType(value: unknown): ValueType {
  const found = VALUE_TYPES.find((valueType) => valueType === value);
  if (found === undefined) {
    throw new UnsupportedValueType(
      `Unknown value type ${shownValue(value)}: expected one of ${VALUE_TYPES.join(', ')}.`,
    );
  }
  return found;
}

function checkValueTypeOptions(options: unknown, valueType: ValueType): ValueTypeOptions {
  if (!isTagObject(options))
    throw new UnsupportedValueType('Expected valueTypeOptions as an object.');
  const { highAccuracy, heartbeat, ...unknown } = options as Record<
    keyof ValueTypeOptions,
    unknown
  >;
  const [name] = Object.keys(unknown);
  if (name !== undefined) {
    throw new UnsupportedValueType(`Unknown value type option ${JSON.stringify(name)}.`);
  }
  const isExact = checkHighAccuracy(highAccuracy, valueType);
  if (heartbeat === undefined) return isExact ? { highAccuracy: true } : {};
  return { heartbeat: checkHeartbeat(heartbeat, { valueType, isExact }) };
}

function checkHighAccuracy(value: unknown, valueType: ValueType): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new UnsupportedValueType('The value type option highAccuracy is true or false.');
  }
  if (value === true) checkNumeric('highAccuracy', valueType);
  return value === true;
}

/** @throws {UnsupportedValueType} when it is no duration in seconds, or the values are none that are held. */
export function checkHeartbeat(
  value: unknown,
  { valueType, isExact }: { readonly valueType: ValueType; readonly isExact: boolean },
): number {
  checkNumeric('heartbeat', valueType);
  if (isExact) {
    throw new UnsupportedValueType(
      'A stream of high accuracy holds no values: it has no heartbeat.',
    );
  }
  const isDuration = typeof value === 'number' && Number.isFinite(value) && value * 1000 >= 1;
  if (isDuration) return value;
  throw new UnsupportedValueType(
    `The value type option heartbeat is a number of seconds from 0.001 on, not ${shownValue(value)}.`,
  );
}

function checkNumeric(option: keyof ValueTypeOptions, valueType: ValueType): void {
  if (valueType === 'numeric') return;
  throw new UnsupportedValueType(`The option ${option} is for numeric streams, not ${valueType}.`);
}

function checkDerivation(
  { deriveFrom, deriveOp, deriveArgs, deriveBackprocess = true }: StreamDefinition,
  valueType: ValueType,
): CheckedDerivation | null {
  if (deriveFrom === undefined && deriveOp === undefined) {
    if (deriveArgs === undefined) return null;
    throw new InvalidOperatorArguments('deriveArgs need deriveFrom and deriveOp.');
  }
  if (deriveFrom === undefined) throw new InvalidOperatorArguments('deriveOp needs deriveFrom.');
  if (deriveOp === undefined) throw new UnsupportedDeriveOperator('deriveFrom needs deriveOp.');
  checkOperator(deriveOp, valueType);
  const args = deriveArgs ?? {};
  if (!isTagObject(args)) throw new InvalidOperatorArguments('Expected deriveArgs as an object.');
  const query = isDeriveQuery(deriveFrom) ? checkSourceQuery(deriveOp, deriveFrom) : null;
  return {
    op: deriveOp,
    args: { ...args },
    sources: isDeriveQuery(deriveFrom) ? [] : checkSources(deriveFrom),
    query,
    isBackprocessed: deriveBackprocess,
  };
}

type GivenSources = NonNullable<StreamDefinition['deriveFrom']>;

export function isDeriveQuery(deriveFrom: GivenSources): deriveFrom is DeriveQuery {
  return isTagObject(deriveFrom) && Object.hasOwn(deriveFrom, 'query');
}

function checkSourceQuery(deriveOp: string, deriveFrom: DeriveQuery): Tags {
  const tags = checkQueryTags(deriveFrom);
  checkTakesQuery(deriveOp);
  return tags;
}

/** @throws {TypeError} when it is more than a query, or that is none. */
export function checkQueryTags(deriveFrom: DeriveQuery): Tags {
  checkKeys(deriveFrom, QUERY_KEYS, 'deriveFrom');
  return checkTags(deriveFrom.query, 'the query of deriveFrom');
}

/** @throws {InvalidOperatorArguments} when the operator needs its sources to be named. */
export function checkTakesQuery(deriveOp: string): void {
  if (operatorOf(deriveOp).takesQuery === true) return;
  throw new InvalidOperatorArguments(
    `Operator ${deriveOp} takes a list of sources, not a tag query.`,
  );
}

/** @throws {UnsupportedDeriveOperator} when there is no such operator, or it gives other values. */
export function checkOperator(deriveOp: string, valueType: ValueType): void {
  const operator = operatorOf(deriveOp);
  if (operator.valueType === valueType) return;
  throw new UnsupportedDeriveOperator(
    `Operator ${deriveOp} produces ${operator.valueType} values, and the stream is ${valueType}.`,
  );
}

/** @throws {InvalidOperatorArguments} {UnsupportedGranularity} {TypeError} */
export function checkSources(
  deriveFrom: Exclude<GivenSources, DeriveQuery>,
): CheckedDerivation['sources'] {
  const list = Array.isArray(deriveFrom)
    ? (deriveFrom as readonly DeriveFrom[])
    : [deriveFrom as DeriveFrom];
  return list.map(checkSource);
}

function checkSource(source: DeriveFrom): CheckedDerivation['sources'][number] {
  if (typeof source === 'string')
    return { name: null, streamId: source as StreamId, granularity: null };
  if (typeof source?.stream !== 'string') {
    throw new InvalidOperatorArguments(
      'A derive source is the id of a stream, or { name?, stream, granularity? }.',
    );
  }
  checkKeys(source, SOURCE_KEYS, 'a derive source');
  const name: unknown = source.name ?? null;
  if (name !== null && typeof name !== 'string') {
    throw new InvalidOperatorArguments(
      `The name of a derive source is text, not ${shownValue(name)}.`,
    );
  }
  return {
    name,
    streamId: source.stream as StreamId,
    granularity: source.granularity === undefined ? null : checkGranularity(source.granularity),
  };
}

export interface DerivationContext {
  /** The derived stream's highest granularity. */
  readonly own: Granularity;
  readonly isHighAccuracy: boolean;
  readonly nowMs: number;
  /** Of the sources, in their order. */
  readonly snapshots: readonly (StreamSnapshot | null)[];
}

/** The last instant of a source's history; of one that is still to be processed, now. */
function historyEndMs({ record, latestMs }: StreamSnapshot, nowMs: number): number | null {
  if (!isPendingBackprocess(record)) return latestMs;
  return Math.max(latestMs ?? Number.NEGATIVE_INFINITY, nowMs);
}

/**
 * Resolves a derivation against its sources, as they are now. What its operator needs is loaded.
 * @throws {StreamNotFound} {IncompatibleGranularities} {IncompatibleTypes} {InvalidOperatorArguments}
 */
export function resolveDerivation(
  { op, args, sources, query, isBackprocessed }: CheckedDerivation,
  { own, isHighAccuracy, nowMs, snapshots }: DerivationContext,
): Derivation {
  if (query !== null) {
    const plain = { name: null, valueType: 'numeric', granularity: own, isLevel: false } as const;
    operatorOf(op).validate([plain], { args, granularity: own, isHighAccuracy });
    const afterMs = isBackprocessed ? null : nowMs;
    return { op, args, sources: [], query: { tags: query, afterMs }, depth: 1 };
  }
  const resolved = sources.map(({ name, streamId, granularity }, index): ResolvedSource => {
    const snapshot = snapshots[index] ?? null;
    if (snapshot === null) throw new StreamNotFound(streamId);
    const afterMs = isBackprocessed ? null : historyEndMs(snapshot, nowMs);
    return resolveSource(snapshot, { name, granularity, afterMs });
  });
  operatorOf(op).validate(
    resolved.map(({ description }) => description),
    { args, granularity: own, isHighAccuracy },
  );
  const depths = snapshots.map((snapshot) => (snapshot === null ? 0 : depthOf(snapshot.record)));
  return {
    op,
    args,
    sources: resolved.map(({ source }) => source),
    depth: 1 + Math.max(0, ...depths),
  };
}

interface ResolvedSource {
  readonly source: DeriveSource;
  readonly description: SourceDescription;
}

function resolveSource(
  { record }: StreamSnapshot,
  asked: { name: string | null; granularity: AskedGranularity | null; afterMs: number | null },
): ResolvedSource {
  const highest = Granularity.byName(record.highestGranularity);
  const granularity =
    asked.granularity === null ? highest : localGranularity(asked.granularity, record);
  if (granularity !== highest && !ladderOf(record).has(granularity)) {
    throw new IncompatibleGranularities(
      `Stream ${record.id} has no ${granularity.name}: its highest granularity is ${highest.name}.`,
    );
  }
  const isLevel = granularity !== highest;
  if (isLevel && !record.valueDownsamplers.includes('mean')) {
    throw new InvalidOperatorArguments(
      `Stream ${record.id} does not keep the mean, which its ${granularity.name} level contributes.`,
    );
  }
  return {
    source: {
      name: asked.name,
      streamId: record.id,
      granularity: granularity.name,
      afterMs: asked.afterMs,
    },
    description: { name: asked.name, valueType: record.valueType, granularity, isLevel },
  };
}
