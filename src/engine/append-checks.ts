import {
  AppendToDerivedStreamNotAllowed,
  InvalidTimestamp,
  InvalidValue,
  StreamAppendContended,
  StreamNotFound,
} from '../exceptions/errors.ts';
import type { StreamId } from '../model/stream.ts';
import { assertKept } from './expiry.ts';
import type { LiveStream } from './live-stream.ts';

/** @throws {StreamNotFound} {AppendToDerivedStreamNotAllowed} */
export function appendable(stream: LiveStream | undefined, streamId: StreamId): LiveStream {
  if (stream === undefined) throw new StreamNotFound(streamId);
  if (stream.record.derivation !== null) {
    throw new AppendToDerivedStreamNotAllowed(
      `Stream ${streamId} derives from others (${stream.record.derivation.op}); append to its sources.`,
    );
  }
  return stream;
}

/** @throws {InvalidTimestamp} for an instant whose datapoints have expired. */
export function checkKept({ record, levelUntilMs }: LiveStream, timestampMs: number): void {
  if (timestampMs < levelUntilMs) assertKept(record, timestampMs);
}

export function changedSince(streamId: StreamId, version: string): StreamAppendContended {
  return new StreamAppendContended(
    `Stream ${streamId} has changed since its version ${version}; nothing was stored.`,
  );
}

export function olderThanLatest(
  { streamId }: LiveStream,
  { timestampMs, latestMs }: { timestampMs: number; latestMs: number },
): InvalidTimestamp {
  return new InvalidTimestamp(
    `The timestamp ${new Date(timestampMs).toISOString()} is older than ` +
      `${new Date(latestMs).toISOString()}, the latest of stream ${streamId}; ` +
      'pass checkTimestamp: false to add late data.',
  );
}

/** As `olderThanLatest`, where a datapoint of the same time is refused, too. */
export function notNewerThanLatest(
  { streamId }: LiveStream,
  { timestampMs, latestMs }: { timestampMs: number; latestMs: number },
): InvalidTimestamp {
  return new InvalidTimestamp(
    `The timestamp ${new Date(timestampMs).toISOString()} is not newer than ` +
      `${new Date(latestMs).toISOString()}, the latest of stream ${streamId}.`,
  );
}

/** @throws {InvalidValue} for a value that a tick cannot have of the stream. */
export function checkTickValue(stream: LiveStream, value: number): void {
  if (stream.record.valueType !== 'numeric') {
    throw new InvalidValue(
      `Stream ${stream.streamId} is ${stream.record.valueType}: a tick takes numeric streams only.`,
    );
  }
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw new InvalidValue(
      `The value of stream ${stream.streamId} is ${value}: expected a finite number, or NaN for no data.`,
    );
  }
}

export function hasInfinity(values: Float64Array): boolean {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return true;
  }
  return false;
}
