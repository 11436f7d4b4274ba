import { copyValues, cutTimestamps } from '../engine/append-request.ts';
import type { Correction, Replacement } from '../engine/corrector.ts';
import { InvalidTimestamp, InvalidValue } from '../exceptions/errors.ts';
import { type Column, rawBlock, sortRows, VALUE_COLUMN } from '../model/block.ts';
import { isEmptyRange, SECOND_MS, type TimeRange } from '../model/time-range.ts';
import { instantMs, parseTimestamp } from '../model/timestamp.ts';
import { copyPlain } from '../model/value-json.ts';
import { checkRawBounds, rawRange } from './data-range.ts';
import { checkItems, checkStreamId } from './option-checks.ts';
import type { ReplacingData, TimeBounds } from './types.ts';

interface GivenRows {
  readonly timestamps: Float64Array;
  readonly values: Column;
}

/**
 * What `replaceData` is asked to do; null when the range is empty, and so has nothing.
 * @throws {TypeError} {InvalidTimestamp} {InvalidValue} for what the call itself asks.
 */
export function checkReplacement(
  streamId: string,
  { bounds, data }: { readonly bounds: TimeBounds; readonly data: ReplacingData },
  timestampRange: TimeRange,
): Correction | null {
  const checked = checkRawBounds(bounds, 'replaceData');
  const rows = copyRows(givenRows(data));
  const replacementsOf = (stepMs: number): readonly Replacement[] => {
    const range = rawRange(checked, stepMs);
    const { timestamps, values } = sortedRows(rows, timestampRange, stepMs);
    const outside = timestamps.find((ms) => ms < range.startMs || ms >= range.endMs);
    if (outside !== undefined) {
      throw new InvalidTimestamp(
        `The datapoint at ${new Date(outside).toISOString()} lies outside of the range that is replaced.`,
      );
    }
    return isEmptyRange(range) ? [] : [{ range, timestamps, values }];
  };
  // No stream has more in a range than one whose timestamps are cut to seconds.
  const isNothing = rows.timestamps.length === 0 && isEmptyRange(rawRange(checked, SECOND_MS));
  return isNothing ? null : { streamId: checkStreamId(streamId), replacementsOf };
}

/** As `checkReplacement`, with nothing to put in. */
export function checkDeletion(streamId: string, bounds: TimeBounds): Correction | null {
  const checked = checkRawBounds(bounds, 'deleteData');
  if (isEmptyRange(rawRange(checked, SECOND_MS))) return null;
  const none = new Float64Array(0);
  return {
    streamId: checkStreamId(streamId),
    replacementsOf: (stepMs) => {
      const range = rawRange(checked, stepMs);
      return isEmptyRange(range) ? [] : [{ range, timestamps: none, values: none }];
    },
  };
}

/**
 * What puts datapoints in the place of all that streams have at the same timestamps. Of several for one
 * timestamp the last one counts.
 * @throws as `checkReplacement` does.
 */
export function checkUpserts(
  items: readonly {
    readonly streamId: string;
    readonly value: unknown;
    readonly timestamp: Date | number;
  }[],
  timestampRange: TimeRange,
): readonly Correction[] {
  checkItems(items, 'upsertMultiple');
  const byStream = new Map<string, UpsertedRow[]>();
  for (const { streamId, value, timestamp } of items) {
    const rows = byStream.get(streamId) ?? [];
    const givenMs = instantMs(timestamp);
    parseTimestamp(givenMs, timestampRange);
    rows.push([givenMs, copyPlain(value)]);
    byStream.set(streamId, rows);
  }
  return Array.from(byStream, ([streamId, rows]) => ({
    streamId: checkStreamId(streamId),
    replacementsOf: (stepMs) => {
      const values = new Map<number, unknown>();
      for (const [givenMs, value] of rows) {
        values.set(parseTimestamp(givenMs, timestampRange, stepMs), value);
      }
      return Array.from(values, replacementAt).sort(byStart);
    },
  }));
}

type UpsertedRow = readonly [givenMs: number, value: unknown];

function replacementAt([timestampMs, value]: UpsertedRow): Replacement {
  return {
    range: { startMs: timestampMs, endMs: timestampMs + 1 },
    timestamps: Float64Array.of(timestampMs),
    values: [value],
  };
}

function byStart(a: Replacement, b: Replacement): number {
  return a.range.startMs - b.range.startMs;
}

function givenRows(data: ReplacingData): GivenRows {
  if (Array.isArray(data)) {
    checkItems(data, 'replaceData');
    return {
      timestamps: Float64Array.from(data, ({ timestamp }) => instantMs(timestamp)),
      values: data.map(({ value }) => value),
    };
  }
  const { timestamps, values } = (data ?? {}) as Extract<ReplacingData, { timestamps: unknown }>;
  const isColumn = values instanceof Float64Array || Array.isArray(values);
  if (!(timestamps instanceof Float64Array) || !isColumn) {
    throw new TypeError(
      'replaceData takes a list of datapoints, or a Float64Array of timestamps and a column of values.',
    );
  }
  if (timestamps.length !== values.length) {
    throw new InvalidValue(
      `There are ${timestamps.length} timestamps and ${values.length} values.`,
    );
  }
  return { timestamps, values };
}

function copyRows({ timestamps, values }: GivenRows): GivenRows {
  return { timestamps: new Float64Array(timestamps), values: copyValues(values) };
}

/** In order of time, with timestamps as they will be stored. */
function sortedRows(
  { timestamps, values }: GivenRows,
  timestampRange: TimeRange,
  stepMs: number,
): GivenRows {
  const { cutMs, descendingRow } = cutTimestamps(timestamps, timestampRange, stepMs);
  if (descendingRow < 0) return { timestamps: cutMs, values };
  const sorted = sortRows(rawBlock(cutMs, values));
  return { timestamps: sorted.timestamps, values: sorted.columns[VALUE_COLUMN]! };
}
