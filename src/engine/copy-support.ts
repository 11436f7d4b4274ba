import type { Backend } from '../backends/backend.ts';
import type { BackendManifest } from '../backends/manifest.ts';
import { type Block, VALUE_COLUMN } from '../model/block.ts';
import { Granularity } from '../model/granularity.ts';
import type { StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { ALL_TIME } from '../model/time-range.ts';
import { isHighAccuracy, isStoredGroup } from '../model/value.ts';
import { readBlocks } from './block-reader.ts';

/** What of a stream's definition and extent a store lacks, in words; empty when it can hold the stream. */
export function missingForStream(
  { record, earliestMs, latestMs }: StreamSnapshot,
  supports: BackendManifest,
): readonly string[] {
  const reasons: string[] = [];
  if (isHighAccuracy(record) && !supports.highAccuracy) reasons.push('high accuracy');
  if (record.extraLevels !== undefined && !supports.extraLevels) {
    reasons.push(`the levels ${record.extraLevels.join(', ')}`);
  }
  const { retention, expiry } = record;
  if ((retention ?? expiry) !== undefined && supports.levels === 'computed') {
    reasons.push('retention');
  }
  const { valueDownsamplers: known, timestampRange } = supports;
  if (known !== 'all') {
    const unknown = record.valueDownsamplers.filter((name) => !known.includes(name));
    if (unknown.length > 0)
      reasons.push(`the downsampler${unknown.length > 1 ? 's' : ''} ${unknown.join(', ')}`);
  }
  if (earliestMs !== null && earliestMs < timestampRange.startMs) {
    reasons.push(`timestamps before ${new Date(timestampRange.startMs).toISOString()}`);
  }
  if (latestMs !== null && latestMs >= timestampRange.endMs) {
    reasons.push(`timestamps from ${new Date(timestampRange.endMs).toISOString()} on`);
  }
  return reasons;
}

/** What raw rows need and a store lacks, in words. */
export function missingForRows(
  record: StreamRecord,
  block: Block,
  supports: BackendManifest,
): readonly string[] {
  const reasons: string[] = [];
  const values = block.columns[VALUE_COLUMN] ?? [];
  const mayHaveGroups = record.valueType === 'numeric' && !(values instanceof Float64Array);
  if (!supports.groupValues && mayHaveGroups && values.some(isStoredGroup)) {
    reasons.push('already downsampled values');
  }
  const { timestamps } = block;
  if (!supports.equalTimestamps && timestamps.some((ms, row) => ms === timestamps[row - 1])) {
    reasons.push('equal timestamps');
  }
  return reasons;
}

/** What all raw rows of a stream need and a store lacks. Reads none where the store takes any rows. */
export async function missingForData(
  from: Backend,
  { record }: StreamSnapshot,
  supports: BackendManifest,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const mayLackGroups = !supports.groupValues && record.valueType === 'numeric';
  if (!mayLackGroups && supports.equalTimestamps) return [];
  const reasons = new Set<string>();
  const request = {
    streamId: record.id,
    granularity: Granularity.byName(record.highestGranularity),
    range: ALL_TIME,
  };
  for await (const block of readBlocks(from, request)) {
    signal?.throwIfAborted();
    for (const reason of missingForRows(record, block, supports)) reasons.add(reason);
  }
  return [...reasons];
}
