import { InconsistentStreamConfiguration } from '../exceptions/errors.ts';
import { addRange, type RangeSet } from '../model/staleness.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { canonicalJson } from '../model/tags.ts';
import { TIME_MIN_MS } from '../model/time-range.ts';
import { markerOf } from './copy-marker.ts';
import type { CopyRoute } from './copy-selection.ts';
import { inputRange } from './output-offset.ts';

/**
 * `begun`: a copy from this source is under way. `behind`: it was finished once, and the source, or what of
 * it is selected, has changed since.
 */
export type TargetState = 'absent' | 'begun' | 'behind' | 'finished';

/** Whether rows of levels are copied: both stores must hold rows that the engine has computed. */
export function copiesLevels({ from, to }: CopyRoute): boolean {
  return from.supports.levels === 'stored' && to.supports.levels === 'stored';
}

/** Whether the levels of the source say nothing about those of the target. */
function losesLevels({ from, to }: CopyRoute): boolean {
  return from.supports.levels === 'computed' && to.supports.levels === 'stored';
}

export interface FinishedContext {
  /** Whether a dependent is, or will be, in the target. */
  readonly isKept: (streamId: StreamId) => boolean;
  /** Snapshots of the sources of a derived stream; needed where levels get lost on the way. */
  readonly sourceOf: (streamId: StreamId) => StreamSnapshot | undefined;
}

/** The record that a finished copy has. */
export function finishedRecord(
  route: CopyRoute,
  snapshot: StreamSnapshot,
  { isKept, sourceOf }: FinishedContext,
): StreamRecord {
  const { record } = snapshot;
  const dependents = record.dependents.filter(({ streamId }) => isKept(streamId));
  if (!losesLevels(route)) return { ...record, dependents };
  return { ...record, dependents, levels: {}, stale: staleWithoutLevels(snapshot, sourceOf) };
}

/** Outputs from levels that are missing for now have no inputs: they are stale until those are there. */
function staleWithoutLevels(
  { record, latestMs }: StreamSnapshot,
  sourceOf: FinishedContext['sourceOf'],
): RangeSet {
  const { derivation } = record;
  const sources = derivation?.sources ?? [];
  const isOverQuery = derivation?.query !== undefined;
  const readsLevels =
    isOverQuery ||
    sources.some(({ streamId, granularity }) => {
      const source = sourceOf(streamId);
      return source !== undefined && source.record.highestGranularity !== granularity;
    });
  if (!readsLevels || latestMs === null) return record.stale;
  const { endMs } = inputRange(derivation!, { startMs: TIME_MIN_MS, endMs: latestMs + 1 });
  return addRange(record.stale, { startMs: TIME_MIN_MS, endMs });
}

/**
 * What the target has of a stream.
 * @throws {InconsistentStreamConfiguration} when it has another stream, or a copy from another source,
 * under this id.
 */
export function targetStateOf(
  route: CopyRoute,
  source: StreamSnapshot,
  target: StreamSnapshot | null,
  isSelected: (streamId: StreamId) => boolean,
): TargetState {
  if (target === null) return 'absent';
  const { from, to } = route;
  const marker = markerOf(target.record);
  if (marker !== null) {
    if (marker.from === from.location) return 'begun';
    throw new InconsistentStreamConfiguration(
      `Stream ${source.record.id} of ${to.location} is an unfinished copy from ${marker.from}: ` +
        'finish that, or delete the stream.',
    );
  }
  if (definitionOf(source.record) !== definitionOf(target.record)) {
    throw new InconsistentStreamConfiguration(
      `${to.location} has another stream with the id ${source.record.id}: delete it there first.`,
    );
  }
  const present = new Set(target.record.dependents.map(({ streamId }) => streamId));
  const finished = finishedRecord(route, source, {
    isKept: (streamId) => isSelected(streamId) || present.has(streamId),
    sourceOf: () => undefined,
  });
  const isSame =
    comparable(route, finished) === comparable(route, target.record) &&
    source.earliestMs === target.earliestMs &&
    source.latestMs === target.latestMs;
  return isSame ? 'finished' : 'behind';
}

/** What of a stream never changes. */
function definitionOf(record: StreamRecord): string {
  const { valueType, valueTypeOptions, highestGranularity, timeZone = null } = record;
  return canonicalJson([valueType, valueTypeOptions, highestGranularity, timeZone]);
}

/** What of two records must be equal; levels that the target computes by itself are its own matter. */
function comparable(route: CopyRoute, record: StreamRecord): string {
  if (!losesLevels(route)) return canonicalJson(record);
  const { levels: _levels, stale: _stale, ...rest } = record;
  return canonicalJson(rest);
}
