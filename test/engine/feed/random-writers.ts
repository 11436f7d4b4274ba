import fc from 'fast-check';
import { Datastream } from '../../../src/api/datastream.ts';
import type { Backend } from '../../../src/backends/backend.ts';

const BASE_MS = Date.UTC(2024, 0, 1);
/** Of the stream that does not keep everything: what is older than about 300 seconds after the start expires. */
const NOW_MS = BASE_MS + 10_000_000;
const RETENTION = { raw: '9700s' };
const SOURCES = ['a', 'b', 'c', 'kept'];
/** Streams that are deleted together. */
const FAMILY_OF: Readonly<Record<string, string>> = {
  a: 'sums',
  b: 'sums',
  c: 'rates',
  kept: 'kept',
};

const second = fc.integer({ min: 0, max: 400 });
const source = fc.nat({ max: SOURCES.length - 1 });
const value = fc.integer({ min: -9, max: 9 });

export type Step = { readonly engine: number; readonly pauses: boolean } & (
  | {
      readonly kind: 'append';
      readonly stream: number;
      readonly gap: number;
      readonly value: number;
    }
  | { readonly kind: 'tick'; readonly gap: number; readonly values: readonly number[] }
  | { readonly kind: 'late'; readonly stream: number; readonly at: number; readonly value: number }
  | { readonly kind: 'many'; readonly stream: number; readonly count: number }
  | {
      readonly kind: 'replace';
      readonly stream: number;
      readonly at: number;
      readonly length: number;
      readonly count: number;
    }
  | {
      readonly kind: 'delete';
      readonly stream: number;
      readonly at: number;
      readonly length: number;
    }
  | {
      readonly kind: 'upsert';
      readonly stream: number;
      readonly at: number;
      readonly value: number;
    }
  | { readonly kind: 'maintain' }
  | { readonly kind: 'tags'; readonly stream: number; readonly value: number }
  | { readonly kind: 'renew'; readonly stream: number }
);

const shared = { engine: fc.nat({ max: 1 }), pauses: fc.boolean() };
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stream: source,
      gap: fc.nat({ max: 5 }),
      value,
      ...shared,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      gap: fc.nat({ max: 5 }),
      values: fc.array(value, { minLength: 3, maxLength: 3 }),
      ...shared,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('late' as const),
      stream: source,
      at: second,
      value,
      ...shared,
    }),
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('many' as const),
      stream: source,
      count: fc.integer({ min: 1, max: 60 }),
      ...shared,
    }),
    weight: 2,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      stream: source,
      at: second,
      length: second,
      count: fc.nat({ max: 4 }),
      ...shared,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      stream: source,
      at: second,
      length: second,
      ...shared,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('upsert' as const),
      stream: source,
      at: second,
      value,
      ...shared,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('maintain' as const), ...shared }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tags' as const), stream: source, value, ...shared }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('renew' as const), stream: source, ...shared }),
  },
);

/** Two engines of which neither knows the other, as two processes would be. */
export class Writers {
  readonly engines: readonly Datastream[];
  readonly #latestMs = new Map<number, number>();
  #renewCount = 0;

  constructor(backends: readonly Backend[]) {
    this.engines = backends.map(
      (backend) => new Datastream(backend, { now: () => new Date(NOW_MS), onWarning: () => {} }),
    );
  }

  async prepare(): Promise<void> {
    for (const name of SOURCES) await this.#ensure(name);
    await this.#derive();
  }

  async run(step: Step): Promise<void> {
    try {
      await this.#apply(step);
    } catch (error) {
      // Older than what the other engine has, or than what is kept.
      if ((error as { code?: string }).code !== 'INVALID_TIMESTAMP') throw error;
    }
    if (step.pauses) await new Promise((resolve) => setTimeout(resolve, 3));
  }

  async #apply({ engine, ...step }: Step): Promise<void> {
    const datastream = this.engines[engine]!;
    const idOf = (stream: number): Promise<string> => this.#ensure(SOURCES[stream]!, datastream);
    const late = { checkTimestamp: false };
    switch (step.kind) {
      case 'append':
        await datastream.append(
          await idOf(step.stream),
          step.value,
          this.#next(step.stream, step.gap),
          late,
        );
        break;
      case 'tick': {
        const ids = [await idOf(0), await idOf(1), await idOf(2)];
        const timestampMs = Math.max(...[0, 1, 2].map((stream) => this.#next(stream, step.gap)));
        for (const stream of [0, 1, 2]) this.#latestMs.set(stream, timestampMs);
        await datastream.appendTick(timestampMs, ids, Float64Array.from(step.values));
        break;
      }
      case 'late':
        await datastream.append(await idOf(step.stream), step.value, at(step.at), late);
        break;
      case 'many': {
        const startMs = this.#next(step.stream, 0);
        const timestamps = Float64Array.from({ length: step.count }, (_, i) => startMs + i * 1000);
        this.#latestMs.set(step.stream, timestamps.at(-1)!);
        await datastream.appendColumns(
          await idOf(step.stream),
          { timestamps, values: timestamps.map((t) => t % 7) },
          late,
        );
        break;
      }
      case 'replace': {
        const start = at(step.at);
        const timestamps = Float64Array.from({ length: step.count }, (_, i) => start + i * 1000);
        const range = { start, end: start + (step.length + step.count) * 1000 };
        await datastream.replaceData(await idOf(step.stream), range, {
          timestamps,
          values: timestamps.map(() => 5),
        });
        break;
      }
      case 'delete':
        await datastream.deleteData(await idOf(step.stream), {
          start: at(step.at),
          end: at(step.at + step.length),
        });
        break;
      case 'upsert':
        await datastream.upsert(await idOf(step.stream), step.value, at(step.at));
        break;
      case 'maintain':
        await datastream.downsampleStreams();
        await datastream.backprocessStreams();
        break;
      case 'tags':
        await datastream.updateTags(await idOf(step.stream), { note: step.value });
        break;
      case 'renew':
        await datastream.deleteStreams({ family: FAMILY_OF[SOURCES[step.stream]!]! });
        this.#renewCount++;
        await this.#derive();
    }
  }

  #next(stream: number, gap: number): number {
    const nextMs = (this.#latestMs.get(stream) ?? BASE_MS) + gap * 1000;
    this.#latestMs.set(stream, nextMs);
    return nextMs;
  }

  async #derive(): Promise<void> {
    const [a, b, c] = await Promise.all(SOURCES.map((name) => this.#ensure(name)));
    const definitions = {
      sum: { deriveOp: 'sum', deriveFrom: [a!, b!], tags: { family: 'sums' } },
      rate: { deriveOp: 'derivative', deriveFrom: c!, tags: { family: 'rates' } },
    };
    for (const [name, definition] of Object.entries(definitions)) {
      await this.engines[this.#renewCount % 2]!.ensureStream(
        { name },
        { valueDownsamplers: ['mean'], highestGranularity: 'seconds', ...definition },
      );
    }
  }

  #ensure(name: string, datastream: Datastream = this.engines[0]!): Promise<string> {
    return datastream.ensureStream(
      { name },
      {
        valueDownsamplers: ['mean', 'max'],
        highestGranularity: 'seconds',
        tags: { family: FAMILY_OF[name]! },
        ...(name === 'kept' && datastream.supports.levels === 'stored' && { retention: RETENTION }),
      },
    );
  }
}

function at(seconds: number): number {
  return BASE_MS + seconds * 1000;
}
