// The same datapoints in other orders of arrival.
import { gauge, regular, uniform } from '../random.mjs';

export const START_MS = Date.UTC(2025, 0, 1);
export const STEP_MS = 10_000;
const LATE_SHARE = 0.01;
/** Levels are brought up to date after each part. */
const PART_COUNT = 10;
const BATCH_ROW_COUNT = 10_000;

/** Each gives parts, which are lists of batches, which are lists of rows. */
export const ORDERS = {
  in_order: { title: 'in order', partsOf: inOrder },
  late_between: { title: '1 % late, in between', partsOf: lateBetween },
  late_at_end: { title: '1 % late, all at the end', partsOf: lateAtEnd },
  shuffled: { title: 'fully shuffled', partsOf: shuffled },
};

/** @returns all datapoints in order of time, and in which batches they arrive */
export function arrivalOf(order, { seed, pointCount }) {
  const timestamps = regular(START_MS, STEP_MS, pointCount);
  const values = gauge(seed, pointCount);
  const columnsOf = (rows) => ({
    timestamps: Float64Array.from(rows, (row) => timestamps[row]),
    values: Float64Array.from(rows, (row) => values[row]),
  });
  const parts = ORDERS[order].partsOf(pointCount, uniform(seed + 1));
  return parts.map((batches) => batches.map(columnsOf));
}

function inOrder(pointCount) {
  return tenthsOf(rowsUpTo(pointCount)).map((rows) => batchesOf(rows, BATCH_ROW_COUNT));
}

/** Late rows come at any time after those of their own tenth. */
function lateBetween(pointCount, random) {
  const { onTime, late } = withLate(pointCount, random);
  const lateParts = Array.from({ length: PART_COUNT }, () => []);
  for (const row of late) {
    const own = Math.floor((row / pointCount) * PART_COUNT);
    lateParts[own + Math.floor(random() * (PART_COUNT - own))].push(row);
  }
  return tenthsOf(onTime).map((rows, part) => [
    ...batchesOf(rows, BATCH_ROW_COUNT),
    ...batchesOf(lateParts[part], BATCH_ROW_COUNT),
  ]);
}

/** Late rows come when the levels of all the others are there. */
function lateAtEnd(pointCount, random) {
  const { onTime, late } = withLate(pointCount, random);
  const parts = tenthsOf(onTime).map((rows) => batchesOf(rows, BATCH_ROW_COUNT));
  return [...parts, batchesOf(late, BATCH_ROW_COUNT)];
}

function shuffled(pointCount, random) {
  const rows = shuffle(rowsUpTo(pointCount), random);
  return tenthsOf(rows).map((part) => batchesOf(part, BATCH_ROW_COUNT));
}

/** The late rows are in random order. The last row of all is never late. */
function withLate(pointCount, random) {
  const candidates = shuffle(rowsUpTo(pointCount - 1), random);
  const late = candidates.slice(0, Math.round(pointCount * LATE_SHARE));
  const isLate = new Set(late);
  return { onTime: rowsUpTo(pointCount).filter((row) => !isLate.has(row)), late };
}

function rowsUpTo(count) {
  return Array.from({ length: count }, (_, row) => row);
}

/** Fisher and Yates, in place. */
function shuffle(rows, random) {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows;
}

function tenthsOf(rows) {
  return batchesOf(rows, Math.ceil(rows.length / PART_COUNT));
}

function batchesOf(rows, rowCountMax) {
  const batches = [];
  for (let from = 0; from < rows.length; from += rowCountMax) {
    batches.push(rows.slice(from, from + rowCountMax));
  }
  return batches;
}
