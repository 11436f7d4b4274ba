import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Datastream } from '../../src/api/datastream.ts';
import type { RetentionOptions } from '../../src/api/types.ts';
import type { Granularity } from '../../src/model/granularity.ts';
import type { ModelStream } from './model.ts';
import { LEVELS, secondsOf } from './units.ts';

/** Rows of a stream expire, up to some seconds before its latest datapoint. */
export interface RetainStep {
  readonly kind: 'retain';
  readonly stream: number;
  readonly back: number;
  /** How many levels go with the raw datapoints, and how many more are kept a while longer. */
  readonly gone: number;
  readonly longer: number;
  /** Whether retention goes on. */
  readonly isLasting: boolean;
}

export const retainStep: fc.Arbitrary<RetainStep> = fc.record({
  kind: fc.constant('retain' as const),
  stream: fc.nat({ max: 11 }),
  back: fc.oneof(fc.integer({ min: -100, max: 300 }), fc.integer({ min: 0, max: 5000 })),
  gone: fc.nat({ max: 4 }),
  longer: fc.nat({ max: 2 }),
  isLasting: fc.boolean(),
});

interface RunStream {
  readonly id: string;
  readonly model: ModelStream;
  readonly latest: number;
}

/** What the step needs of a run. */
interface RetainingRun {
  readonly datastream: Datastream;
  readonly streams: readonly RunStream[];
  granularityOf(seconds: number): Granularity;
  /** Lets the engines live at an instant, as seconds, while something is done. */
  livingAt(t: number, action: () => Promise<void>): Promise<void>;
  /** Maintenance of everything that is complete. */
  maintain(): Promise<void>;
}

/** Lets rows of a stream expire, and asserts that none did too early. */
export async function retain(
  run: RetainingRun,
  { stream: pick, back, gone, longer, isLasting }: RetainStep,
): Promise<void> {
  const { datastream, streams } = run;
  const { id, model, latest } = streams[pick % streams.length]!;
  const names = LEVELS.filter((level) => level > model.highest).map((level) => {
    return run.granularityOf(level).name;
  });
  const retention: Record<string, string | null> = { raw: '1m' };
  const [from, to] = [gone % names.length, (gone % names.length) + longer];
  if (longer > 0) retention[names[from]!] = '10m';
  if (to < names.length) retention[names[to]!] = null;
  const options: RetentionOptions = retention;
  if (datastream.supports.levels === 'computed') {
    const update = datastream.updateStream(id, { retention: options });
    await assert.rejects(update, { code: 'NOT_SUPPORTED' });
    return;
  }
  const cut = latest - back;
  await datastream.updateStream(id, { retention: options });
  await run.livingAt(cut + 60, () => run.maintain());
  if (!isLasting) await datastream.updateStream(id, { retention: null });
}

/** Notes for the model what of each stream has expired. */
export async function noteExpiry({
  datastream,
  streams,
}: Pick<RetainingRun, 'datastream' | 'streams'>): Promise<void> {
  for (const { id, model } of streams) {
    const { expiredUntil } = await datastream.getStream(id);
    const entries = Object.entries(expiredUntil) as [string, Date][];
    model.expired = new Map(entries.map(([name, until]) => [name, secondsOf(until)]));
    if (model.expired.size > 0 && model.derivation === null) {
      model.began ??= Math.min(...model.arrivals.map(({ t }) => t));
    }
  }
}
