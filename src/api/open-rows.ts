import type { Backend } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import type { LevelSelection } from '../downsamplers/level-selection.ts';
import { LevelTail } from '../engine/level-tail.ts';
import { StreamNotFound, UnsupportedGranularity } from '../exceptions/errors.ts';
import { type Granularity, timestampStepMs } from '../model/granularity.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { bucketRange, rawRange } from './data-range.ts';
import type { DataRequest, NamedRequest } from './data-request.ts';
import type { DatapointRows, WholeRows } from './datapoint-rows.ts';
import { DenseRows } from './dense-rows.ts';
import { FallbackRows, fallbackParts } from './fallback-rows.ts';
import { type Choice, GranularityChoice } from './granularity-choice.ts';
import { resolveGranularity } from './level-checks.ts';
import { RawRows } from './raw-rows.ts';
import { thinned } from './thinning/thinned.ts';

/** Opens what a request gives. @throws {StreamNotFound}, and as `rowsOf` and `thinned` do. */
export async function openRows(backend: Backend, request: DataRequest): Promise<DatapointRows> {
  const snapshot = await snapshotOf(backend, request);
  const { granularity, pointCountMax } = await choiceOf(request, snapshot);
  const { thin, isReverse } = request;
  const named = { ...request, granularity: { granularity, isLocal: false } };
  if (request.isFallback) return fallbackRows(backend, named, snapshot);
  if (thin === null && pointCountMax === null) return rowsOf(backend, named, snapshot);
  const { valueType } = snapshot.record;
  const rows = rowsOf(backend, { ...named, isReverse: false }, snapshot);
  const { isRaw } = resolveGranularity(named.granularity, snapshot.record);
  const selection = isRaw ? null : selectionOf(backend, request, snapshot);
  return thinned(
    { valueType, selection, rows },
    {
      thin,
      pointCountMax: Math.min(thin?.points ?? Infinity, pointCountMax ?? Infinity),
      isReverse,
    },
  );
}

/** The granularity that a request gives. @throws {StreamNotFound} */
export async function granularityOf(backend: Backend, request: DataRequest): Promise<Granularity> {
  const snapshot = await snapshotOf(backend, request);
  return (await choiceOf(request, snapshot)).granularity;
}

async function snapshotOf(
  backend: Backend,
  { streamId }: Pick<DataRequest, 'streamId'>,
): Promise<StreamSnapshot> {
  const [snapshot] = await backend.readStreams([streamId]);
  if (snapshot === null || snapshot === undefined) throw new StreamNotFound(streamId);
  return snapshot;
}

async function choiceOf({ granularity }: DataRequest, snapshot: StreamSnapshot): Promise<Choice> {
  if (granularity instanceof GranularityChoice) return granularity.of(snapshot);
  return { ...resolveGranularity(granularity, snapshot.record), pointCountMax: null };
}

/**
 * The rows of one granularity that a request is for.
 * @throws {UnsupportedDownsampler} {UnsupportedGranularity} {UnsupportedValueType} for what is asked of the
 * stream.
 */
export function rowsOf(
  backend: Backend,
  request: NamedRequest,
  snapshot: StreamSnapshot,
): WholeRows {
  const { range, isReverse } = request;
  const { granularity, isRaw } = resolveGranularity(request.granularity, snapshot.record);
  // Also on the highest granularity, so that a wrong name does not pass there and fail elsewhere.
  const selection = selectionOf(backend, request, snapshot);
  if (isRaw) {
    if (request.fill !== null) throw noGapsToFill(granularity);
    return new RawRows(backend, {
      snapshot,
      granularity,
      range: rawRange(range, timestampStepMs(granularity.name)),
      isReverse,
    });
  }
  return new DenseRows(backend, {
    snapshot,
    granularity,
    range: bucketRange(range, granularity),
    isReverse,
    selection,
    fill: request.fill,
    heldUntilMs: heldUntilMs(request, snapshot),
    tail: request.isLive ? new LevelTail(backend, snapshot, granularity) : null,
  });
}

/** The rows of all granularities that answer for a part of the range. */
function fallbackRows(
  backend: Backend,
  request: NamedRequest,
  snapshot: StreamSnapshot,
): FallbackRows {
  const { granularity: finest } = resolveGranularity(request.granularity, snapshot.record);
  const wanted = fallbackParts(snapshot.record, finest, request.range);
  const parts = wanted.map(({ granularity, range }) => {
    // Raw datapoints have no gaps, the levels that answer for them do.
    const isRaw = granularity.name === snapshot.record.highestGranularity;
    const own = { ...request, granularity: { granularity, isLocal: false }, range };
    const rows = rowsOf(backend, isRaw ? { ...own, fill: null } : own, snapshot);
    return { granularity, rows };
  });
  return new FallbackRows(request.isReverse ? parts.reverse() : parts);
}

function selectionOf(
  { supports }: Backend,
  { valueDownsamplers, timeDownsamplers }: DataRequest,
  { record }: StreamSnapshot,
): LevelSelection {
  return LevelSchema.of(record).select({ valueDownsamplers, timeDownsamplers }, supports);
}

/** In stored buckets, which are complete, values are held to the end; in others they may be so only until now. */
function heldUntilMs({ isLive, nowMs }: DataRequest, { latestMs }: StreamSnapshot): number {
  if (!isLive) return Number.POSITIVE_INFINITY;
  return Math.max(nowMs(), latestMs ?? Number.NEGATIVE_INFINITY);
}

function noGapsToFill({ name }: Granularity): UnsupportedGranularity {
  return new UnsupportedGranularity(
    `fill is for levels: the datapoints of ${name}, the highest granularity of the stream, have no buckets.`,
  );
}
