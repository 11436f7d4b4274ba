// The work that every engine does: measurements of a made-up plant, the same on every machine for a seed.
//
//   W1, one long stream:  a gauge, a point each 10 s for 90 days
//   W2, many streams:     1,000 streams, a point of each every 10 s for 6 hours; of ten streams, six are
//                         gauges with two decimals, three are counters with resets, one hardly changes
import { uniform } from '../random.mjs';

export const START_SECONDS = 1_735_689_600; // 2025-01-01, a bucket boundary of every level
export const STEP_SECONDS = 10;
export const W1_BATCH_ROW_COUNT = 10_000;
export const AGGREGATES = ['mean', 'min', 'max', 'sum', 'count'];

/** From finest to coarsest; each can be made from the one before. */
export const LEVELS = [
  { name: 'minutes', shortName: '1m', seconds: 60 },
  { name: '10minutes', shortName: '10m', seconds: 600 },
  { name: 'hours', shortName: '1h', seconds: 3600 },
  { name: '6hours', shortName: '6h', seconds: 21_600 },
  { name: 'days', shortName: '1d', seconds: 86_400 },
];

export const FULL_SIZE = {
  w1PointCount: 90 * 8640,
  streamCount: 1000,
  tickCount: 2160,
  readCounts: { raw: 200, long: 50, wide: 20 },
};
/** Enough to compile the same code. */
export const THIRD_SIZE = {
  ...FULL_SIZE,
  w1PointCount: FULL_SIZE.w1PointCount / 3,
  tickCount: FULL_SIZE.tickCount / 3,
};
export const SMOKE_SIZE = {
  w1PointCount: 2 * 8640,
  streamCount: 100,
  tickCount: 360,
  readCounts: { raw: 5, long: 3, wide: 3 },
};

/** What a read of the last hour gives. */
export const HOUR_POINT_COUNT = 360;
/** Gauges that are summed up, and read side by side. */
const WIDE_STREAM_COUNT_MAX = 100;

export class Workload {
  constructor({ seed, size }) {
    this.size = size;
    this.seed = seed;
    const { streamCount, tickCount } = size;
    /** @type {readonly { index: number, name: string, kind: string, isWide: boolean }[]} */
    this.streams = describeStreams(streamCount);
    this.counters = this.streams.filter(({ kind }) => kind === 'counter');
    this.wide = this.streams.filter(({ isWide }) => isWide);
    this.endSeconds = START_SECONDS + tickCount * STEP_SECONDS;
  }

  /** Values of the one stream of W1. */
  w1() {
    return generate(gauge(mix(this.seed, 1_000_003), { base: 50, walk: 0.15, noise: 0.25 }), {
      count: this.size.w1PointCount,
    });
  }

  /** Values of W2, tick by tick: stream `s` at tick `t` is at `t * streamCount + s`. */
  w2() {
    const { streamCount, tickCount } = this.size;
    const nextOf = this.streams.map(({ index, kind }) =>
      sensor(mix(this.seed, index), kind, index),
    );
    const values = new Float64Array(streamCount * tickCount);
    let row = 0;
    for (let tick = 0; tick < tickCount; tick++) {
      for (let stream = 0; stream < streamCount; stream++) values[row++] = nextOf[stream]();
    }
    return values;
  }

  /** Buckets that end with a tick, from the finest level on; with the last tick, the day that is part full too. */
  endedBuckets(tick) {
    const endSeconds = secondsAt(tick + 1);
    const ended = LEVELS.filter(({ seconds }) => endSeconds % seconds === 0).map((level) => ({
      level,
      fromSeconds: endSeconds - level.seconds,
      endSeconds,
    }));
    if (tick < this.size.tickCount - 1) return ended;
    const unfinished = LEVELS.slice(ended.length);
    return [
      ...ended,
      ...unfinished.map((level) => ({
        level,
        fromSeconds: endSeconds - (endSeconds % level.seconds),
        endSeconds,
      })),
    ];
  }
}

/** Epoch seconds of the point at this position. */
export function secondsAt(position) {
  return START_SECONDS + position * STEP_SECONDS;
}

function describeStreams(streamCount) {
  let wideCount = 0;
  return Array.from({ length: streamCount }, (_, index) => {
    const kind = kindOf(index);
    const isWide = kind === 'gauge' && wideCount++ < WIDE_STREAM_COUNT_MAX;
    return { index, name: `s${String(index).padStart(4, '0')}`, kind, isWide };
  });
}

function kindOf(index) {
  if (index % 10 < 6) return 'gauge';
  return index % 10 < 9 ? 'counter' : 'constant';
}

function sensor(seed, kind, index) {
  const random = uniform(seed ^ 0x5bd1e995);
  const scale = [1, 10, 100][index % 3];
  if (kind === 'gauge') {
    return gauge(seed, {
      base: (20 + 60 * random()) * scale,
      walk: 0.05 * scale,
      noise: 0.1 * scale,
    });
  }
  if (kind === 'counter') return counter(seed, 1 + Math.floor(random() * 1000));
  return constant(seed, (1 + 99 * random()) * scale);
}

function gauge(seed, { base, walk, noise }) {
  const random = uniform(seed);
  let level = base;
  return () => {
    level += walk * nearlyNormal(random) + 0.0005 * (base - level);
    return twoDecimals(level + noise * nearlyNormal(random));
  };
}

function counter(seed, rate) {
  const random = uniform(seed);
  let count = Math.floor(random() * 1e6);
  return () => {
    if (random() < 0.0005) count = 0;
    count += Math.floor(random() * 2 * rate);
    return count;
  };
}

function constant(seed, base) {
  const random = uniform(seed);
  let value = twoDecimals(base);
  return () => {
    if (random() < 0.005) value = twoDecimals(base * (0.5 + random()));
    return value;
  };
}

function generate(next, { count }) {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = next();
  return values;
}

/** Mean 0 and standard deviation 1, without logarithms, which differ from machine to machine. */
function nearlyNormal(random) {
  return (random() + random() + random() + random() - 2) * 1.7320508075688772;
}

function twoDecimals(value) {
  return Math.round(value * 100) / 100;
}

function mix(seed, index) {
  return (Math.imul(seed >>> 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
}
