import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Datastream } from '../../src/api/datastream.ts';
import type { DeriveFrom } from '../../src/api/types.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { at } from './support.ts';

/** Streams that tick together, by name; the ones of the last list have coarser buckets than a second. */
const LISTS: readonly (readonly string[])[] = [
  ['c0', 'c1', 'c2', 'c3', 'g0', 'g1', 'g2', 'g3', 'plain'],
  ['c0', 'g0'],
  ['other0', 'other1', 'plain2', 'outside', 't2'],
  ['t0', 't1'],
];
const BASES = [...new Set(LISTS.flat())];

export type TickStep =
  | { readonly kind: 'tick'; readonly list: number; readonly gap: number; readonly seed: number }
  | {
      readonly kind: 'items';
      readonly list: number;
      readonly isSingle: boolean;
      readonly gaps: readonly number[];
      readonly seed: number;
    }
  | { readonly kind: 'ticks'; readonly lists: readonly number[]; readonly seed: number }
  | {
      readonly kind: 'mixed';
      readonly list: number;
      readonly stream: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'append';
      readonly stream: number;
      readonly gap: number;
      readonly seed: number;
    }
  | { readonly kind: 'late'; readonly stream: number; readonly back: number; readonly seed: number }
  | { readonly kind: 'reset'; readonly isTrue: boolean }
  | { readonly kind: 'derive'; readonly isBackprocessed: boolean }
  | { readonly kind: 'switch' | 'restart' | 'maintain' | 'refuse' };

const seed = fc.nat({ max: 1_000_000 });
const stream = fc.nat({ max: BASES.length - 1 });
const gap = fc.constantFrom(0, 1, 1, 1, 2, 10);
const list = fc.constantFrom(0, 0, 0, 1, 2, 3, 3);

export const tickSteps: fc.Arbitrary<readonly TickStep[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('tick' as const), list, gap, seed }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('items' as const),
        list,
        isSingle: fc.boolean(),
        gaps: fc.array(gap, { minLength: 1, maxLength: 3 }),
        seed,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('ticks' as const),
        lists: fc.array(list, { minLength: 2, maxLength: 4 }),
        seed,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('mixed' as const), list, stream, seed }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('append' as const), stream, gap, seed }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('late' as const),
        stream,
        back: fc.integer({ min: 1, max: 30 }),
        seed,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('reset' as const), isTrue: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('derive' as const), isBackprocessed: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'switch' as const,
          'restart' as const,
          'maintain' as const,
          'refuse' as const,
        ),
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** A memory store whose next commit may fail, as on a full disk. */
class RefusingBackend extends MemoryBackend {
  refusesNext = false;

  protected override async _commitGrouped(
    commit: Parameters<MemoryBackend['commit']>[0],
  ): ReturnType<MemoryBackend['commit']> {
    if (this.refusesNext) {
      this.refusesNext = false;
      throw new Error('the disk is full');
    }
    return super._commitGrouped(commit);
  }
}

/** One store with two engines, to which ticks are given as ticks or as columns of one row each. */
class Twin {
  readonly #asTicks: boolean;
  readonly #backend = new RefusingBackend();
  readonly ids = new Map<string, StreamId>();
  readonly warnings: string[] = [];
  #engines: readonly [Datastream, Datastream] | null = null;

  constructor(asTicks: boolean) {
    this.#asTicks = asTicks;
  }

  get engine(): Datastream {
    return this.#engines![0];
  }

  async start(): Promise<void> {
    await this.#backend.open();
    this.restart();
    for (const name of BASES) await this.#ensure(name, { highest: highestOf(name) });
    await this.#ensure('reset', { valueType: 'nominal' });
    for (const name of ['c0', 'c1']) {
      await this.#derive(`${name}-reset`, 'counter_reset', [name], { valueType: 'nominal' });
      await this.#derive(`${name}-rate`, 'counter_derivative', [`${name}-reset`, name]);
    }
    await this.#derive('c2-rate', 'counter_derivative', ['reset', 'c2']);
    await this.#derive('c3-rate', 'counter_derivative', ['reset', 'c3'], { max: 7 });
    await this.#derive('slope', 'derivative', ['g0']);
    await this.#derive('curve', 'derivative', ['slope']);
    await this.#derive('total', 'sum', ['g0', 'g1', 'g2', 'g3']);
    await this.#derive('grand', 'sum', ['total', 'slope', 'g1']);
    await this.#derive('across', 'sum', ['g2', 'outside']);
    await this.#derive('twice', 'sum', ['g3', 'g3']);
    await this.#derive('other-total', 'sum', ['other0', 'other1']);
    await this.#derive('coarse', 'sum', ['t0', 't1'], { highest: '10seconds' });
    await this.#derive('coarse-twice', 'sum', ['t1', 't1'], { highest: '10seconds' });
    await this.#derive('coarse-across', 'sum', ['t0', 't2'], { highest: '10seconds' });
    await this.#derive('coarse-slope', 'derivative', ['t0'], { highest: '10seconds' });
  }

  restart(): void {
    const open = (): Datastream =>
      new Datastream(this.#backend, {
        now: () => new Date(at(1_000_000)),
        onWarning: ({ message }) => this.warnings.push(this.#named(message)),
      });
    this.#engines = [open(), open()];
  }

  switch(): void {
    const [first, second] = this.#engines!;
    this.#engines = [second, first];
  }

  refuseNext(): void {
    this.#backend.refusesNext = true;
  }

  get isRefusing(): boolean {
    return this.#backend.refusesNext;
  }

  async addDerived(number: number, isBackprocessed: boolean): Promise<void> {
    const name = `late${number}`;
    await this.#derive(name, 'sum', ['g0', 'g2'], { isBackprocessed });
    await this.#derive(`${name}-slope`, 'derivative', [name], { isBackprocessed: true });
  }

  /** Starts a tick; the ticks of one turn share a commit. */
  tick(names: readonly string[], second: number, values: readonly number[]): Promise<unknown> {
    const ids = names.map((name) => this.ids.get(name)!);
    const column = Float64Array.from(values);
    if (this.#asTicks) return this.engine.appendTick(at(second), ids, column);
    return Promise.all(
      ids.map((id, row) =>
        this.engine.appendColumns(id, {
          timestamps: Float64Array.of(at(second)),
          values: column.slice(row, row + 1),
        }),
      ),
    );
  }

  /** Starts to append a row of each stream at each instant; `values` are instant by instant. */
  items(
    names: readonly string[],
    seconds: readonly number[],
    values: readonly number[],
  ): Promise<unknown> {
    const rowOf = (instant: number, column: number): number => instant * names.length + column;
    if (this.#asTicks) {
      const items = seconds.flatMap((second, instant) =>
        names.map((name, column) => ({
          streamId: this.ids.get(name)!,
          value: orNull(values[rowOf(instant, column)]!),
          timestamp: at(second),
        })),
      );
      return this.engine.appendMultiple(items);
    }
    return Promise.all(
      names.map((name, column) =>
        this.engine.appendColumns(this.ids.get(name)!, {
          timestamps: Float64Array.from(seconds, at),
          values: Float64Array.from(seconds, (_, instant) => values[rowOf(instant, column)]!),
        }),
      ),
    );
  }

  append(name: string, value: unknown, second: number): Promise<unknown> {
    const id = this.ids.get(name)!;
    return this.engine.append(id, value, at(second), { checkTimestamp: false });
  }

  /** Everything that is stored, by the names of the streams. */
  async content(): Promise<Record<string, unknown>> {
    const content: Record<string, unknown> = {};
    const snapshots = await this.#backend.readStreams([...this.ids.values()]);
    for (const [index, [name, id]] of [...this.ids].entries()) {
      const { record, earliestMs, latestMs } = snapshots[index]!;
      const columns = await this.engine
        .getData(id, record.highestGranularity, { start: at(-1000) })
        .columns();
      content[name] = {
        timestamps: [...columns.timestamps],
        values: [...(columns.values as Iterable<unknown>)],
        stale: record.stale,
        levels: record.levels,
        earliestMs,
        latestMs,
      };
    }
    return content;
  }

  async #ensure(
    name: string,
    { highest = 'seconds', valueType = 'numeric' }: { highest?: string; valueType?: string },
  ): Promise<void> {
    const definition = { valueDownsamplers: ['mean'], highestGranularity: highest, valueType };
    const numeric = valueType === 'numeric' ? definition : { ...definition, valueDownsamplers: [] };
    const id = await this.engine.ensureStream({ name }, numeric as never);
    this.ids.set(name, id);
  }

  async #derive(
    name: string,
    op: string,
    sources: readonly string[],
    options: {
      valueType?: string;
      highest?: string;
      max?: number;
      isBackprocessed?: boolean;
    } = {},
  ): Promise<void> {
    const { valueType = 'numeric', highest = 'seconds', max, isBackprocessed = true } = options;
    const ids = sources.map((source) => this.ids.get(source)!);
    const deriveFrom: readonly DeriveFrom[] =
      op === 'counter_derivative' ? [{ name: 'reset', stream: ids[0]! }, { stream: ids[1]! }] : ids;
    const id = await this.engine.ensureStream({ name }, {
      valueDownsamplers: valueType === 'numeric' ? ['mean'] : [],
      highestGranularity: highest,
      valueType,
      deriveFrom,
      deriveOp: op,
      deriveBackprocess: isBackprocessed,
      ...(max === undefined ? {} : { deriveArgs: { max_value: max } }),
    } as never);
    this.ids.set(name, id);
  }

  #named(message: string): string {
    for (const [name, id] of this.ids) if (message.includes(id)) return message.replace(id, name);
    return message;
  }
}

function highestOf(name: string): string {
  return name.startsWith('t') ? '10seconds' : 'seconds';
}

/** Small numbers of which some come twice, half of a rate or an overflow away from each other. */
function sampleOf(name: string, number: number): number {
  if (number % 11 === 0) return Number.NaN;
  if (number % 37 === 0) return Number.MAX_VALUE;
  if (number % 41 === 0) return -0;
  return name.startsWith('c') ? number % 8 : ((number % 200) - 100) / 8;
}

/** Takes both twins through the steps, and asserts that they hold the same after each of them. */
export async function compareTwins(steps: readonly TickStep[]): Promise<void> {
  const twins = [new Twin(true), new Twin(false)] as const;
  for (const twin of twins) await twin.start();
  const latest = new Map<string, number>();
  let derivedCount = 0;
  const secondAfter = (names: readonly string[], gapSeconds: number): number => {
    const second = Math.max(0, ...names.map((name) => latest.get(name) ?? 0)) + gapSeconds;
    for (const name of names) latest.set(name, second);
    return second;
  };
  const each = async (act: (twin: Twin) => Promise<unknown>): Promise<void> => {
    const settled = await Promise.allSettled(twins.map(act));
    const [first, second] = settled.map(({ status }) => status);
    assert.equal(first, second);
  };
  for (const step of steps) {
    switch (step.kind) {
      case 'tick': {
        const names = LISTS[step.list]!;
        const second = secondAfter(names, step.gap);
        const values = names.map((name, row) => sampleOf(name, step.seed + row * 7));
        await each((twin) => twin.tick(names, second, values));
        break;
      }
      case 'items': {
        const names = step.isSingle ? LISTS[step.list]!.slice(-1) : LISTS[step.list]!;
        const seconds = step.gaps.map((gapSeconds) => secondAfter(names, gapSeconds));
        const values = seconds.flatMap((second) =>
          names.map((name, row) => sampleOf(name, step.seed + second * 3 + row * 7)),
        );
        await each((twin) => twin.items(names, seconds, values));
        break;
      }
      case 'ticks':
      case 'mixed': {
        const lists = step.kind === 'ticks' ? step.lists : [step.list, step.list];
        const planned = lists.map((number, index) => {
          const names = LISTS[number]!;
          const second = secondAfter(names, (step.seed + index) % 3);
          const values = names.map((name, row) => sampleOf(name, step.seed + index + row * 5));
          return { names, second, values };
        });
        const name = step.kind === 'mixed' ? BASES[step.stream]! : null;
        const second = name === null ? 0 : secondAfter([name], step.seed % 2);
        await each(async (twin) => {
          const [first, ...rest] = planned.map(
            ({ names, second: tickSecond, values }) =>
              () =>
                twin.tick(names, tickSecond, values),
          );
          const appends = [first!()];
          if (name !== null) appends.push(twin.append(name, step.seed % 50, second));
          if (name === null || step.seed % 2 === 0) for (const start of rest) appends.push(start());
          const results = await Promise.allSettled(appends);
          const failed = results.find(({ status }) => status === 'rejected');
          if (failed !== undefined) throw new Error('one of the appends was refused');
        });
        break;
      }
      case 'append': {
        const name = BASES[step.stream]!;
        const second = secondAfter([name], step.gap);
        await each((twin) => twin.append(name, orNull(sampleOf(name, step.seed)), second));
        break;
      }
      case 'late': {
        const name = BASES[step.stream]!;
        const second = Math.max(0, (latest.get(name) ?? 0) - step.back);
        latest.set(name, Math.max(second, latest.get(name) ?? 0));
        await each((twin) => twin.append(name, orNull(sampleOf(name, step.seed)), second));
        break;
      }
      case 'reset': {
        const second = Math.max(latest.get('reset') ?? 0, latest.get('c2') ?? 0);
        latest.set('reset', second);
        await each((twin) => twin.append('reset', step.isTrue, second));
        break;
      }
      case 'derive':
        derivedCount++;
        await each((twin) => twin.addDerived(derivedCount, step.isBackprocessed));
        break;
      case 'maintain':
        await each(async (twin) => {
          await twin.engine.backprocessStreams();
          await twin.engine.downsampleStreams();
        });
        break;
      case 'switch':
        for (const twin of twins) twin.switch();
        break;
      case 'restart':
        for (const twin of twins) twin.restart();
        break;
      case 'refuse': {
        for (const twin of twins) twin.refuseNext();
        const names = LISTS[0]!;
        const second = secondAfter(names, 1);
        await each((twin) =>
          twin.tick(
            names,
            second,
            names.map(() => 1),
          ),
        );
        assert.equal(twins[0].isRefusing, false);
      }
    }
    assert.deepEqual(await twins[0].content(), await twins[1].content());
  }
  assert.deepEqual(twins[0].warnings.toSorted(), twins[1].warnings.toSorted());
  for (const twin of twins) {
    const { differenceCount } = await twin.engine.verify();
    assert.equal(differenceCount, 0);
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
