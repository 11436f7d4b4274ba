import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Datastream } from '../../src/api/datastream.ts';
import type { DatapointColumns } from '../../src/api/types.ts';
import { bucketBeforeMs, bucketStartMs, type Granularity } from '../../src/model/granularity.ts';
import { ladderOf } from '../../src/model/ladder.ts';
import { type Bucket, bucketOf, type Row } from './bucket.ts';
import { changeLevels, extraOf, type LevelsStep, levelsStep } from './levels-step.ts';
import { heldIn } from './more-statistics.ts';
import { EXTRA_LEVELS, PLACES } from './setting.ts';
import type { DisposableStore } from './stores.ts';

const DOWNSAMPLERS = ['mean', 'sum', 'min', 'max', 'count'];
const LETTERS: readonly string[] = ['m', 's', 'l', 'u', 'c'];
/** Of some streams; buckets without data tell what is held, too. */
const MORE_DOWNSAMPLERS = [...DOWNSAMPLERS, 'first', 'last', 'integral', 'coverage'];
const MORE_LETTERS: readonly string[] = [...LETTERS, 'a', 'z', 'i', 'e'];
/** Levels with more buckets are not looked at. */
const BUCKET_COUNT_MAX = 1000;
const LATE = { checkTimestamp: false } as const;

interface ExtraLevelsHistory {
  readonly place: readonly [timeZone: string, instant: string];
  readonly levels: readonly string[];
  readonly highest: string;
  readonly startsBeforeSeconds: number;
  readonly hasMore: boolean;
  readonly steps: readonly Step[];
}

type Step =
  | { readonly kind: 'append'; readonly gapsSeconds: readonly number[] }
  | { readonly kind: 'late'; readonly backSeconds: readonly number[] }
  | { readonly kind: 'erase'; readonly backSeconds: number; readonly seconds: number }
  | { readonly kind: 'maintain'; readonly untilSeconds: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'heartbeat'; readonly seconds: number | null }
  | LevelsStep;

const gap = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 900 }) },
  { weight: 2, arbitrary: fc.integer({ min: 900, max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 1_000_000 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      gapsSeconds: fc.array(gap, { minLength: 1, maxLength: 20 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('late' as const),
      backSeconds: fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('erase' as const),
      backSeconds: fc.integer({ min: 0, max: 200_000 }),
      seconds: fc.integer({ min: 0, max: 100_000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('maintain' as const),
      untilSeconds: fc.oneof(fc.integer({ min: -100_000, max: 0 }), fc.constant(10_000_000)),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 2, arbitrary: levelsStep },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat' as const),
      seconds: fc.option(fc.integer({ min: 1, max: 5000 })),
    }),
  },
);

/** What happens to such a stream, at a time when clocks of its zone are changed. */
export const extraLevelsHistory: fc.Arbitrary<ExtraLevelsHistory> = fc.record({
  place: fc.constantFrom(...PLACES),
  levels: fc.subarray([...EXTRA_LEVELS], { minLength: 1, maxLength: 5 }),
  highest: fc.constantFrom('milliseconds', 'seconds', 'seconds', '10seconds', 'hours', 'days'),
  startsBeforeSeconds: fc.integer({ min: 0, max: 200_000 }),
  hasMore: fc.boolean(),
  steps: fc.array(step, { maxLength: 14, size: 'max' }),
});

class ExtraLevelsRun {
  readonly #store: DisposableStore;
  readonly #history: ExtraLevelsHistory;
  readonly #isLive: boolean;
  #datastream: Datastream;
  #streamId = '';
  #rows: Row[] = [];
  /** Of the latest datapoint that there ever was. */
  #reachedMs: number;
  #count = 0;
  #heartbeat = Number.POSITIVE_INFINITY;
  #timeZone: string;
  /** In the order in which they came. */
  #levels: readonly string[];

  constructor(store: DisposableStore, givenHistory: ExtraLevelsHistory, isLive: boolean) {
    this.#store = store;
    this.#history = givenHistory;
    this.#isLive = isLive;
    const { highest, levels, place } = givenHistory;
    this.#timeZone = place[0];
    this.#levels = extraOf(levels, highest, place[0]);
    this.#reachedMs = Date.parse(givenHistory.place[1]) - givenHistory.startsBeforeSeconds * 1000;
    this.#datastream = this.#open();
  }

  #open(): Datastream {
    return new Datastream(this.#store.backend, {
      liveDownsampling: this.#isLive && this.#store.backend.supports.liveLevels,
      now: () => new Date(Date.UTC(2030, 0)),
    });
  }

  async run(): Promise<void> {
    const { place, highest, hasMore, steps } = this.#history;
    this.#streamId = await this.#datastream.ensureStream(
      { name: 'a' },
      {
        valueDownsamplers: hasMore ? MORE_DOWNSAMPLERS : DOWNSAMPLERS,
        highestGranularity: highest,
        timeZone: place[0],
        levels: this.#levels,
      },
    );
    for (const item of steps) await this.#apply(item);
    await this.#compare(true);
    await this.#datastream.downsampleStreams();
    await this.#compare(false);
    assert.equal((await this.#datastream.verify()).differenceCount, 0);
  }

  async #apply(item: Step): Promise<void> {
    switch (item.kind) {
      case 'append': {
        const rows = item.gapsSeconds.map((seconds) => {
          this.#reachedMs += seconds * 1000 + this.#fractionMs;
          return { t: this.#reachedMs, v: this.#value() };
        });
        return this.#append(rows);
      }
      case 'late':
        return this.#append(
          item.backSeconds.map((back) => ({ t: this.#reachedMs - back * 1000, v: this.#value() })),
        );
      case 'erase': {
        const start = this.#reachedMs - item.backSeconds * 1000;
        const endExclusive = start + item.seconds * 1000;
        await this.#datastream.deleteData(this.#streamId, { start, endExclusive });
        this.#rows = this.#rows.filter(({ t }) => t < start || t >= endExclusive);
        return;
      }
      case 'maintain': {
        const until = new Date(this.#reachedMs + item.untilSeconds * 1000);
        await this.#datastream.downsampleStreams({ until });
        return;
      }
      case 'reopen':
        await this.#store.reopen?.();
        this.#datastream = this.#open();
        return;
      case 'heartbeat':
        await this.#datastream.updateStream(this.#streamId, { heartbeat: item.seconds });
        this.#heartbeat = item.seconds ?? Number.POSITIVE_INFINITY;
        return;
      case 'levels': {
        const { highest } = this.#history;
        const stream = { id: this.#streamId, highest, zone: this.#timeZone, levels: this.#levels };
        const changed = await changeLevels(this.#datastream, stream, item);
        this.#timeZone = changed.zone;
        this.#levels = changed.levels;
      }
    }
  }

  /** Between datapoints, where the stream keeps milliseconds; eighths of seconds have exact sums. */
  get #fractionMs(): number {
    return this.#history.highest === 'milliseconds' ? 125 : 0;
  }

  #value(): number {
    return (this.#count++ % 64) / 4;
  }

  async #append(rows: readonly Row[]): Promise<void> {
    const timestamps = Float64Array.from(rows, ({ t }) => t);
    const values = Float64Array.from(rows, ({ v }) => v as number);
    await this.#datastream.appendColumns(this.#streamId, { timestamps, values }, LATE);
    this.#rows.push(...rows);
    this.#rows.sort((a, b) => a.t - b.t);
  }

  /** @param isLive whether all buckets are read as they are now, not only those that are computed. */
  async #compare(isLive: boolean): Promise<void> {
    const { levels, downsampledUntil } = await this.#datastream.getStream(this.#streamId);
    for (const granularity of levels) {
      const until = downsampledUntil[granularity.name]?.getTime() ?? null;
      const [first, last] = [this.#rows.at(0), this.#rows.at(-1)];
      if (first === undefined || last === undefined) continue;
      const fromMs = bucketStartMs(first.t, granularity);
      if (!isLive) this.#checkReach(granularity, { until, fromMs, latestMs: last.t });
      const endMs = isLive ? last.t + 1 : (until ?? fromMs);
      // Weeks of seconds take longer than they tell.
      if ((endMs - fromMs) / granularity.durationMs > BUCKET_COUNT_MAX) continue;
      const data = this.#datastream.getData(this.#streamId, granularity, {
        start: fromMs,
        live: isLive,
      });
      const starts = startsBetween(granularity, fromMs, endMs);
      const columns = await data.columns();
      assert.deepEqual([...columns.timestamps], starts, `buckets of ${granularity}`);
      this.#compareBuckets(granularity, starts, columns);
      assert.equal(await data.count(), starts.length);
      const reversed = await this.#datastream
        .getData(this.#streamId, granularity, { start: fromMs, live: isLive, reverse: true })
        .slice(1, 4)
        .columns();
      assert.deepEqual([...reversed.timestamps], starts.toReversed().slice(1, 4));
      const [middle] = await data.slice(2, 3).toArray();
      if (starts.length > 2) {
        assert.equal(middle?.v['c'], columns.v?.['c']?.[2]);
        assert.equal(Number(middle?.t['m']), columns.t?.['m']?.[2]);
      } else assert.equal(middle, undefined);
    }
  }

  /** Maintenance has computed all that is complete. */
  #checkReach(
    granularity: Granularity,
    { until, fromMs, latestMs }: { until: number | null; fromMs: number; latestMs: number },
  ): void {
    const ladder = ladderOf({
      highestGranularity: this.#history.highest as 'seconds',
      timeZone: this.#timeZone,
      extraLevels: this.#levels,
    });
    let completeMs: number | null = latestMs;
    for (const rung of ladder.lineage(granularity)) {
      const startMs = bucketStartMs(this.#rows[0]!.t, rung.granularity);
      const endMs: number =
        completeMs === null ? startMs : bucketStartMs(completeMs, rung.granularity);
      completeMs = endMs <= startMs ? null : bucketBeforeMs(endMs, rung.granularity);
      if (rung.granularity !== granularity) continue;
      // Datapoints that were erased may have completed more, or all that came before the first one that is left.
      assert(Math.max(until ?? fromMs, fromMs) >= endMs, `${granularity} is computed`);
      assert((until ?? fromMs) <= bucketStartMs(this.#reachedMs, granularity) || until === null);
    }
  }

  #compareBuckets(
    granularity: Granularity,
    starts: readonly number[],
    columns: DatapointColumns,
  ): void {
    const { hasMore } = this.#history;
    const all = this.#rows.map(({ t, v }) => ({ t: t / 1000, v }));
    const byStart = new Map<number, Row[]>();
    for (const row of this.#rows) {
      const startMs = bucketStartMs(row.t, granularity);
      const rows = byStart.get(startMs) ?? [];
      rows.push({ t: row.t / 1000, v: row.v });
      byStart.set(startMs, rows);
    }
    for (const [index, startMs] of starts.entries()) {
      const seconds = (granularity.bucketEnd(startMs).getTime() - startMs) / 1000;
      const start = startMs / 1000;
      const options = { start, seconds, isNumeric: true, hasMore };
      const bucket = bucketOf(byStart.get(startMs) ?? [], options);
      const held = heldIn(all, { start, seconds, heartbeat: this.#heartbeat });
      const v: Bucket['v'] = { ...bucket.v, ...held };
      const label = `${granularity} at ${new Date(startMs).toISOString()}`;
      for (const letter of hasMore ? MORE_LETTERS : LETTERS) {
        const actual = columns.v?.[letter]?.[index] as number;
        assert.equal(Number.isNaN(actual) ? null : actual, v[letter], `${label}, ${letter}`);
      }
      for (const letter of ['m', 'a', 'z']) {
        const actual = columns.t?.[letter]?.[index] as number;
        const wanted = bucket.t[letter];
        assert.equal(
          Number.isNaN(actual) ? null : actual,
          wanted == null ? null : wanted * 1000,
          `${label}, t.${letter}`,
        );
      }
    }
  }
}

function startsBetween(
  granularity: Granularity,
  startMs: number,
  endMs: number,
): readonly number[] {
  const starts: number[] = [];
  for (let atMs = startMs; atMs < endMs; atMs = granularity.bucketEnd(atMs).getTime()) {
    starts.push(atMs);
  }
  return starts;
}

/** The law, of one stream with levels of calendars and time zones. */
export async function assertExtraLevels(
  open: () => Promise<DisposableStore>,
  given: ExtraLevelsHistory,
  isLive: boolean,
): Promise<void> {
  const store = await open();
  try {
    await new ExtraLevelsRun(store, given, isLive).run();
  } finally {
    await store.dispose();
  }
}
