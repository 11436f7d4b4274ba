import { expandValueDownsamplers } from '../downsamplers/registry.ts';
import {
  InconsistentStreamConfiguration,
  InvalidOperatorArguments,
  UnsupportedDeriveOperator,
  UnsupportedDownsampler,
} from '../exceptions/errors.ts';
import type { Retention } from '../model/retention.ts';
import type { Derivation, StreamRecord } from '../model/stream.ts';
import { isTagObject, type Tags } from '../model/tags.ts';
import { copyPlain } from '../model/value-json.ts';
import {
  type CheckedDerivation,
  checkOperator,
  checkQueryTags,
  checkSources,
  checkTakesQuery,
  isDeriveQuery,
} from './definition.ts';
import { checkLevelChanges, type LevelChanges } from './level-changes.ts';
import { checkGranularity } from './level-checks.ts';
import { checkFlag, checkKeys, isNames } from './option-checks.ts';
import { checkRetention } from './retention.ts';
import type { StreamChanges } from './types.ts';

const CHANGE_KEYS: ReadonlySet<string> = new Set<keyof StreamChanges>([
  'valueDownsamplers',
  'levels',
  'timeZone',
  'heartbeat',
  'deriveFrom',
  'deriveOp',
  'deriveArgs',
  'deriveBackprocess',
  'retention',
]);
const DOWNSAMPLER_KEYS: ReadonlySet<string> = new Set(['add', 'drop']);
const FIXED_KEYS: readonly string[] = ['valueType', 'valueTypeOptions', 'highestGranularity'];

/** What `updateStream` asks for, checked as far as that needs no stream. */
export interface CheckedChanges {
  /** Null: they stay as they are. */
  readonly downsamplers: DownsamplerChanges | null;
  /** Null: they stay as they are. */
  readonly levels: LevelChanges | null;
  /** As it was given. Null: none. Undefined: it stays as it is. */
  readonly heartbeat: number | null | undefined;
  /** Null: it stays as it is. */
  readonly derivation: DerivationChanges | null;
  /** Null: for ever. Undefined: it stays as it is. */
  readonly retention: Retention | null | undefined;
}

/** Either the new list, or what is added to the old one and taken from it. */
interface DownsamplerChanges {
  readonly list: readonly string[] | null;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** Null where it stays as it is. */
interface DerivationChanges {
  readonly op: string | null;
  readonly args: Readonly<Record<string, unknown>> | null;
  readonly sources: CheckedDerivation['sources'] | null;
  /** In the place of sources. */
  readonly query: Tags | null;
  readonly isBackprocessed: boolean;
}

/**
 * Checks what is to become of a stream.
 * @throws {InconsistentStreamConfiguration} for what never changes.
 * @throws {InvalidOperatorArguments} {UnsupportedGranularity} {TypeError}
 */
export function checkChanges(changes: StreamChanges): CheckedChanges {
  if (isTagObject(changes)) {
    const fixed = FIXED_KEYS.find((key) => Object.hasOwn(changes, key));
    if (fixed !== undefined) {
      throw new InconsistentStreamConfiguration(
        `The ${fixed} of a stream never changes: create another stream for it.`,
      );
    }
  }
  checkKeys(changes, CHANGE_KEYS, 'updateStream');
  return {
    downsamplers: checkDownsamplers(changes.valueDownsamplers),
    levels: checkLevelChanges(changes),
    heartbeat: changes.heartbeat,
    derivation: checkDerivation(changes),
    retention: changes.retention === undefined ? undefined : checkRetention(changes.retention),
  };
}

function checkDownsamplers(
  changes: StreamChanges['valueDownsamplers'],
): CheckedChanges['downsamplers'] {
  if (changes === undefined) return null;
  if (isNames(changes)) return { list: [...changes], add: [], drop: [] };
  const wrong = 'Expected valueDownsamplers as a list of names, or as { add?, drop? }.';
  if (Array.isArray(changes)) throw new TypeError(wrong);
  checkKeys(changes, DOWNSAMPLER_KEYS, 'valueDownsamplers');
  const { add = [], drop = [] } = changes as { add?: unknown; drop?: unknown };
  if (!isNames(add) || !isNames(drop)) throw new TypeError(wrong);
  return { list: null, add: [...add], drop: [...drop] };
}

function checkDerivation({
  deriveFrom,
  deriveOp,
  deriveArgs,
  deriveBackprocess,
}: StreamChanges): DerivationChanges | null {
  checkFlag(deriveBackprocess, 'deriveBackprocess');
  if (deriveFrom === undefined && deriveBackprocess !== undefined) {
    throw new InvalidOperatorArguments('deriveBackprocess needs deriveFrom.');
  }
  if (deriveFrom === undefined && deriveOp === undefined && deriveArgs === undefined) return null;
  if (deriveArgs !== undefined && !isTagObject(deriveArgs)) {
    throw new InvalidOperatorArguments('Expected deriveArgs as an object.');
  }
  return {
    op: deriveOp ?? null,
    args: deriveArgs === undefined ? null : (copyPlain(deriveArgs) as Record<string, unknown>),
    ...checkDeriveFrom(deriveFrom),
    isBackprocessed: deriveBackprocess ?? true,
  };
}

function checkDeriveFrom(
  deriveFrom: StreamChanges['deriveFrom'],
): Pick<DerivationChanges, 'sources' | 'query'> {
  if (deriveFrom === undefined) return { sources: null, query: null };
  return isDeriveQuery(deriveFrom)
    ? { sources: [], query: checkQueryTags(deriveFrom) }
    : { sources: checkSources(deriveFrom), query: null };
}

/**
 * The value downsamplers that a stream gets, with their dependencies, in the order of the registry.
 * @throws {UnsupportedDownsampler} for names that are unknown, not for the value type, or needed by others.
 */
export function changedDownsamplers(
  {
    valueType,
    valueTypeOptions,
    valueDownsamplers,
  }: Pick<StreamRecord, 'valueType' | 'valueTypeOptions' | 'valueDownsamplers'>,
  { list, add, drop }: DownsamplerChanges,
): readonly string[] {
  const expand = (names: readonly string[]): readonly string[] =>
    expandValueDownsamplers(names, valueType, valueTypeOptions);
  if (list !== null) return expand(list);
  // Names that nobody knows are refused, also among those that go.
  expand(drop);
  const wanted = [...valueDownsamplers, ...add].filter((name) => !drop.includes(name));
  const names = expand(wanted);
  const needed = drop.find((name) => names.includes(name));
  if (needed === undefined) return names;
  const user = names.find((name) => name !== needed && expand([name]).includes(needed));
  throw new UnsupportedDownsampler(
    `The value downsampler ${needed} cannot be dropped: ${user} is computed from it.`,
  );
}

/**
 * The derivation that a stream is to have, of what it has now and of the changes.
 * @throws {InvalidOperatorArguments} {UnsupportedDeriveOperator}
 */
export function changedDerivation(
  { valueType, derivation }: Pick<StreamRecord, 'valueType' | 'derivation'>,
  { op, args, sources, query, isBackprocessed }: DerivationChanges,
): CheckedDerivation {
  const wantedOp = op ?? derivation?.op;
  if (wantedOp === undefined) throw new UnsupportedDeriveOperator('deriveFrom needs deriveOp.');
  checkOperator(wantedOp, valueType);
  const before = derivation === null ? null : askedDerivation(derivation);
  const wantedSources = sources ?? before?.sources;
  if (wantedSources === undefined) {
    throw new InvalidOperatorArguments('deriveOp and deriveArgs need deriveFrom.');
  }
  const wantedQuery = sources === null ? (before?.query ?? null) : query;
  if (wantedQuery !== null) checkTakesQuery(wantedOp);
  // Arguments belong to an operator: another one begins with none.
  const wantedArgs = args ?? (wantedOp === derivation?.op ? derivation.args : {});
  return {
    op: wantedOp,
    args: wantedArgs,
    sources: wantedSources,
    query: wantedQuery,
    isBackprocessed,
  };
}

/** A derivation as somebody would ask for it. */
export function askedDerivation(derivation: Derivation): CheckedDerivation {
  const { op, args } = derivation;
  return {
    op,
    args,
    sources: sourcesOf(derivation),
    query: derivation.query?.tags ?? null,
    isBackprocessed: true,
  };
}

function sourcesOf({ sources }: Derivation): CheckedDerivation['sources'] {
  return sources.map(({ name, streamId, granularity }) => ({
    name,
    streamId,
    granularity: checkGranularity(granularity),
  }));
}
