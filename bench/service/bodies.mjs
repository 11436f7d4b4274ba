// Datapoints as senders post them: bodies of 10,000, in columnar JSON and in line protocol.
import { gauge } from '../random.mjs';

export const START_MS = Date.UTC(2025, 0, 1);
const STEP_MS = 10_000;
export const BODY_POINT_COUNT = 10_000;
const SEED = 1;

/** As the datapoints come; below it, levels have a bucket for each of them. */
const FITTING = '10seconds';
/** What streams get that the service makes, unless it is told otherwise. */
const DEFAULT = 'milliseconds';

/** How many streams a body has datapoints of, of how many instants, and the streams' highest granularity. */
export const SHAPES = [
  { streamCount: 100, rowCount: 100, granularity: FITTING },
  { streamCount: 1000, rowCount: 10, granularity: FITTING },
  { streamCount: 10, rowCount: 1000, granularity: FITTING },
  { streamCount: 100, rowCount: 100, granularity: DEFAULT },
  { streamCount: 1000, rowCount: 10, granularity: DEFAULT },
];

export const FORMS = {
  json: { path: '/api/v1/write', type: 'application/json', bodyOf: jsonOf },
  lines: { path: '/write?precision=ms', type: 'text/plain', bodyOf: linesOf },
};

/** @returns values of each stream of a sender, of all bodies */
export function seriesOf({ sender, streamCount, rowCount, bodyCount }) {
  return Array.from({ length: streamCount }, (_, index) => ({
    name: `s${sender}-${index}`,
    values: gauge(SEED + sender * 10_000 + index, rowCount * bodyCount),
  }));
}

/** @returns what one body has of each stream */
export function partsOf(series, { body, rowCount }) {
  const from = body * rowCount;
  const timestamps = Float64Array.from(
    { length: rowCount },
    (_, row) => START_MS + (from + row) * STEP_MS,
  );
  return series.map(({ name, values }) => ({
    name,
    timestamps,
    values: values.subarray(from, from + rowCount),
  }));
}

function jsonOf(parts, kind) {
  const entries = parts.map(({ name, timestamps, values }) => ({
    tags: { kind, stream: name },
    timestamps: [...timestamps],
    values: [...values],
  }));
  return Buffer.from(JSON.stringify(entries));
}

/** Instant by instant, as agents send what they have sampled. */
function linesOf(parts, kind) {
  const lines = [];
  for (const [row, timestampMs] of parts[0].timestamps.entries()) {
    for (const { name, values } of parts) {
      lines.push(`${kind},kind=${kind},stream=${name} value=${values[row]} ${timestampMs}`);
    }
  }
  return Buffer.from(lines.join('\n'));
}
