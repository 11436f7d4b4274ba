import type { TimestampCheck } from '../engine/append-request.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import { shownValue } from '../model/shown-value.ts';
import type { StreamId } from '../model/stream.ts';
import type {
  AppendOptions,
  BackprocessOptions,
  CopyOptions,
  DatastreamOptions,
  DownsampleOptions,
  StatusOptions,
  VerifyOptions,
} from './types.ts';

const LEASE_DURATION_MIN_MS = 1000;

const DATASTREAM_KEYS: ReadonlySet<string> = new Set<keyof DatastreamOptions>([
  'now',
  'onWarning',
  'leaseDurationMs',
  'liveDownsampling',
]);
const SHARD_KEYS: ReadonlySet<string> = new Set(['index', 'count']);
const COPY_KEYS: ReadonlySet<string> = new Set<keyof CopyOptions>([
  'queryTags',
  'concurrency',
  'skipUnsupported',
  'signal',
  'onProgress',
]);
const APPEND_KEYS: ReadonlySet<string> = new Set<keyof AppendOptions>([
  'checkTimestamp',
  'expectVersions',
]);
const BACKPROCESS_KEYS: ReadonlySet<string> = new Set<keyof BackprocessOptions>([
  'queryTags',
  'signal',
  'onProgress',
  'concurrency',
  'shard',
]);
const DOWNSAMPLE_KEYS: ReadonlySet<string> = new Set<keyof DownsampleOptions>([
  'queryTags',
  'signal',
  'onProgress',
  'concurrency',
  'shard',
  'until',
  'returnDatapoints',
  'filterStream',
]);
const VERIFY_KEYS: ReadonlySet<string> = new Set<keyof VerifyOptions>([
  'queryTags',
  'repair',
  'shard',
  'signal',
  'onProgress',
  'onDifference',
]);
const STATUS_KEYS: ReadonlySet<string> = new Set<keyof StatusOptions>(['queryTags', 'until']);

/**
 * Refuses options that nobody reads: a misspelt one would otherwise do what its absence does.
 * @throws {TypeError} when it is no object, or has other keys.
 */
export function checkKeys(options: unknown, keys: ReadonlySet<string>, what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`Expected the options of ${what} as an object.`);
  }
  for (const key of Object.keys(options)) {
    if (!keys.has(key)) throw new TypeError(`Unknown option ${JSON.stringify(key)} of ${what}.`);
  }
}

/**
 * Refuses what is no list of datapoints, naming the one that is none.
 * @param what of a call or an option, as the start of a sentence.
 * @throws {TypeError}
 */
export function checkItems(items: unknown, what: string): asserts items is readonly object[] {
  if (!Array.isArray(items)) throw new TypeError(`${what} takes a list of datapoints.`);
  for (const [index, item] of items.entries()) {
    if (typeof item === 'object' && item !== null) continue;
    throw new TypeError(
      `${what} takes a list of datapoints, of which number ${index} is ${shownValue(item)}.`,
    );
  }
}

/** @throws {TypeError} unless it is true, false or absent. */
export function checkFlag(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${name} is true or false.`);
  }
}

/** @throws {TypeError} unless it is a list of names or absent. */
export function checkNames(value: unknown, name: string): void {
  if (value !== undefined && !isNames(value)) throw new TypeError(`${name} is a list of names.`);
}

export function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/**
 * What a caller gave as the id of a stream.
 * @throws {StreamNotFound} when it is no string: there is no such stream.
 */
export function checkStreamId(streamId: unknown): StreamId {
  if (typeof streamId !== 'string') throw new StreamNotFound(String(streamId));
  return streamId as StreamId;
}

/** What is to be checked before anything is appended. @throws {TypeError} */
export function checkAppendOptions(options: AppendOptions): TimestampCheck {
  checkKeys(options, APPEND_KEYS, 'append');
  const { checkTimestamp = true, expectVersions } = options;
  if (expectVersions !== undefined) checkVersions(expectVersions);
  if (checkTimestamp === 'newer')
    return { checkTimestamp: true, mustBeNewer: true, expectVersions };
  checkFlag(checkTimestamp, 'checkTimestamp');
  return { checkTimestamp, mustBeNewer: false, expectVersions };
}

function checkVersions(versions: unknown): void {
  const isObject = typeof versions === 'object' && versions !== null && !Array.isArray(versions);
  if (isObject && Object.values(versions).every((version) => typeof version === 'string')) return;
  throw new TypeError(
    'expectVersions must be an object with the versions of streams by their ids.',
  );
}

/** @throws {TypeError} {RangeError} */
export function checkDatastreamOptions(options: DatastreamOptions): void {
  checkKeys(options, DATASTREAM_KEYS, 'new Datastream');
  const { leaseDurationMs, liveDownsampling } = options;
  if (![undefined, false, true, 'unless-bulk'].includes(liveDownsampling)) {
    throw new TypeError(
      `Option liveDownsampling must be true, false or 'unless-bulk', not ${shownValue(liveDownsampling)}.`,
    );
  }
  if (leaseDurationMs !== undefined) {
    checkWhole(leaseDurationMs, 'leaseDurationMs', LEASE_DURATION_MIN_MS);
  }
}

/** @throws {TypeError} {RangeError} */
export function checkBackprocessOptions(options: BackprocessOptions): void {
  checkKeys(options, BACKPROCESS_KEYS, 'backprocessStreams');
  checkShared(options);
}

/** @throws {TypeError} {RangeError} */
export function checkDownsampleOptions(options: DownsampleOptions): void {
  checkKeys(options, DOWNSAMPLE_KEYS, 'downsampleStreams');
  checkShared(options);
}

/** @throws {TypeError} {RangeError} */
export function checkCopyOptions(options: CopyOptions): void {
  checkKeys(options, COPY_KEYS, 'copyStreams');
  checkFlag(options.skipUnsupported, 'skipUnsupported');
  checkConcurrency(options.concurrency);
}

function checkShared({ concurrency, shard }: BackprocessOptions): void {
  checkConcurrency(concurrency);
  checkShard(shard);
}

function checkShard(shard: BackprocessOptions['shard']): void {
  if (shard === undefined) return;
  checkKeys(shard, SHARD_KEYS, 'shard');
  const { index, count } = shard;
  checkWhole(count, 'shard.count', 1);
  checkWhole(index, 'shard.index', 0);
  if (index >= count) {
    throw new RangeError(`shard.index is ${index}: expected less than shard.count, ${count}.`);
  }
}

function checkConcurrency(concurrency: number | undefined): void {
  if (concurrency !== undefined) checkWhole(concurrency, 'concurrency', 1);
}

export function checkWhole(value: unknown, name: string, min: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return;
  throw new RangeError(`${name} is ${shownValue(value)}: expected a whole number from ${min} on.`);
}

/** @throws {TypeError} {RangeError} */
export function checkVerifyOptions(options: VerifyOptions): void {
  checkKeys(options, VERIFY_KEYS, 'verify');
  checkFlag(options.repair, 'repair');
  checkShard(options.shard);
}

/** @throws {TypeError} */
export function checkStatusOptions(options: StatusOptions): void {
  checkKeys(options, STATUS_KEYS, 'status');
}
