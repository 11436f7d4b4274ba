import assert from 'node:assert/strict';
import type { Datastream } from '../../src/api/datastream.ts';
import { groupOf } from './bucket.ts';
import type { Step } from './history.ts';
import { arrive, leave, type RunStream } from './run-stream.ts';
import { together } from './together-step.ts';
import { msOf } from './units.ts';

const LATE = { checkTimestamp: false } as const;

const KINDS = [
  'append',
  'late',
  'lateColumns',
  'columns',
  'tick',
  'multiple',
  'group',
  'together',
  'replace',
  'upsert',
  'maintain',
] as const;
/** What happens to the datapoints of streams that derive from nothing, and maintenance. */
export type DataStep = Step & { kind: (typeof KINDS)[number] };

/** What such a step needs of a run. */
export interface DataRun {
  readonly datastream: Datastream;
  /** Seconds since 1970 at which the history began. */
  readonly start: number;
  /** Another engine on the same store. */
  readonly other: Datastream;
  readonly streams: readonly RunStream[];
  /** Those of them that derive from nothing. */
  readonly baseStreams: readonly RunStream[];
  /** Whether rows of a stream may expire, or have. */
  readonly isRetaining: boolean;
  /** Tells the model what has expired until now. */
  noteExpiry(): Promise<void>;
}

export function isDataStep(step: Step): step is DataStep {
  return (KINDS as readonly string[]).includes(step.kind);
}

/** The stream that is picked. */
export function baseOf(baseStreams: readonly RunStream[], pick: number): RunStream {
  return baseStreams[pick % baseStreams.length]!;
}

/** Does what the step says, and notes it for the model. */
export function applyData(run: DataRun, step: DataStep): Promise<void> {
  const { datastream } = run;
  const base = (pick: number): RunStream => baseOf(run.baseStreams, pick);
  switch (step.kind) {
    case 'append':
      return append(datastream, base(step.stream), step.gap, step.value);
    case 'late':
      return late(datastream, base(step.stream), [[step.back, step.value]]);
    case 'lateColumns':
      return late(datastream, base(step.stream), step.rows);
    case 'columns':
      return columns(datastream, base(step.stream), step.rows);
    case 'tick':
      return tick(run, step.gap, step.values);
    case 'multiple':
      return multiple(run, step.rows);
    case 'group':
      return group(datastream, base(step.stream % 4), step);
    case 'together':
      return together(run, step);
    case 'replace':
      return replace(datastream, base(step.stream), step);
    case 'upsert':
      return upsert(run, step.rows);
    case 'maintain':
      return maintain(datastream, step.what, run.start + step.until);
  }
}

async function replace(
  datastream: Datastream,
  stream: RunStream,
  { back, seconds, rows }: Step & { kind: 'replace' },
): Promise<void> {
  const start = stream.latest - back;
  const end = start + seconds;
  const inside = rows.filter(([offset]) => offset < seconds);
  leave(stream, (t) => t >= start && t < end);
  const data = inside.map(([offset, value]) => ({
    timestamp: msOf(start + offset),
    value: arrive(stream, start + offset, value),
  }));
  const range = { start: msOf(start), endExclusive: msOf(end) };
  if (data.length === 0) await datastream.deleteData(stream.id, range);
  else await datastream.replaceData(stream.id, range, data);
}

async function upsert(
  { datastream, baseStreams }: DataRun,
  rows: readonly (readonly [stream: number, back: number, value: number | null])[],
): Promise<void> {
  const placed = rows.map(([pick, back, value]) => {
    const stream = baseOf(baseStreams, pick);
    return { stream, t: stream.latest - back, value };
  });
  const items = placed.map(({ stream, t, value }) => {
    leave(stream, (other) => other === t);
    return { streamId: stream.id, timestamp: msOf(t), value: arrive(stream, t, value) };
  });
  await datastream.upsertMultiple(items);
}

async function append(
  datastream: Datastream,
  stream: RunStream,
  gap: number,
  value: number | null,
): Promise<void> {
  const t = stream.latest + gap;
  await datastream.append(stream.id, arrive(stream, t, value), msOf(t));
}

async function group(
  datastream: Datastream,
  stream: RunStream,
  step: Step & { kind: 'group' },
): Promise<void> {
  // Of a stream that keeps less than all, a group has other letters.
  if ((stream.model.hidden?.size ?? 0) > 0) return;
  const values = groupOf(step.values);
  if (datastream.supports.groupValues && !stream.model.hasMore) {
    return append(datastream, stream, step.gap, values as unknown as number);
  }
  const timestamp = msOf(stream.latest + step.gap);
  const appending = datastream.append(stream.id, values, timestamp);
  await assert.rejects(appending, {
    code: stream.model.hasMore ? 'INVALID_VALUE' : 'NOT_SUPPORTED',
  });
}

async function late(
  datastream: Datastream,
  stream: RunStream,
  rows: readonly (readonly [back: number, value: number | null])[],
): Promise<void> {
  const { latest } = stream;
  if (!stream.model.isNumeric || rows.length === 1) {
    for (const [back, value] of rows) {
      const v = arrive(stream, latest - back, value);
      await datastream.append(stream.id, v, new Date(msOf(latest - back)), LATE);
    }
    return;
  }
  for (const [back, value] of rows) arrive(stream, latest - back, value);
  const timestamps = Float64Array.from(rows, ([back]) => msOf(latest - back));
  const values = Float64Array.from(rows, ([, value]) => value ?? Number.NaN);
  await datastream.appendColumns(stream.id, { timestamps, values }, LATE);
}

async function columns(
  datastream: Datastream,
  stream: RunStream,
  rows: readonly (readonly [gap: number, value: number | null])[],
): Promise<void> {
  const seconds: number[] = [];
  const arrived: unknown[] = [];
  for (const [gap, value] of rows) {
    seconds.push(stream.latest + gap);
    arrived.push(arrive(stream, stream.latest + gap, value));
  }
  if (stream.model.isNumeric) {
    const timestamps = Float64Array.from(seconds, msOf);
    const values = Float64Array.from(rows, ([, value]) => value ?? Number.NaN);
    await datastream.appendColumns(stream.id, { timestamps, values });
  } else {
    await datastream.appendMultiple(
      arrived.map((value, i) => ({
        streamId: stream.id,
        value,
        timestamp: msOf(seconds[i]!),
      })),
    );
  }
}

async function tick(
  { datastream, streams: all }: DataRun,
  gap: number,
  values: readonly (number | null)[],
): Promise<void> {
  const streams = all.slice(0, 3);
  const t = Math.max(...streams.map(({ latest }) => latest)) + gap;
  for (const [index, stream] of streams.entries()) arrive(stream, t, values[index]!);
  await datastream.appendTick(
    msOf(t),
    streams.map(({ id }) => id),
    Float64Array.from(values, (value) => value ?? Number.NaN),
  );
}

async function multiple(
  { datastream, baseStreams }: DataRun,
  rows: readonly (readonly [stream: number, gap: number, value: number | null])[],
): Promise<void> {
  await datastream.appendMultiple(
    rows.map(([pick, gap, value]) => {
      const stream = baseOf(baseStreams, pick);
      const t = stream.latest + gap;
      const v = arrive(stream, t, value);
      return { streamId: stream.id, value: v, timestamp: msOf(t) };
    }),
  );
}

async function maintain(
  datastream: Datastream,
  what: 'downsample' | 'backprocess' | 'both',
  until: number,
): Promise<void> {
  if (what !== 'backprocess') await datastream.downsampleStreams({ until: msOf(until) });
  if (what !== 'downsample') await datastream.backprocessStreams();
}
