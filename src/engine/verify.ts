import { LevelSchema } from '../downsamplers/level-schema.ts';
import { type Block, type Column, concatBlocks } from '../model/block.ts';
import { bucketCeilMs, bucketStartMs, Granularity } from '../model/granularity.ts';
import { ladderOf, type Rung } from '../model/ladder.ts';
import { outsideOf } from '../model/nesting.ts';
import { expiredUntilMs } from '../model/retention.ts';
import { isInRanges, type RangeSet } from '../model/staleness.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import {
  isEmptyRange,
  restOfRange,
  TIME_END_MS,
  TIME_MIN_MS,
  type TimeRange,
} from '../model/time-range.ts';
import { type BlockDifference, compareBlocks } from './block-compare.ts';
import { visitBlocks } from './block-reader.ts';
import type { EngineContext } from './context.ts';
import { readFamily } from './derived-maintenance.ts';
import { computableFromMs, derivableFromMs, levelStartMs, originMs } from './expiry.ts';
import { LevelDraft } from './level-draft.ts';
import { foldComputed, foldRange } from './level-maintenance.ts';
import { OperatorRun } from './operator-run.ts';
import { outputRange } from './output-offset.ts';
import { replay } from './replay.ts';
import { pendingStartMs } from './replay-inputs.ts';
import { withLostBuckets } from './stale-levels.ts';
import { turn } from './turn.ts';

/** Finer rows that are held at once. */
const ROW_COUNT_MAX = 200_000;
/** A stream that others change while it is being verified is verified anew this often. */
const TRY_COUNT_MAX = 5;

export interface StreamReport {
  readonly bucketCount: number;
  readonly derivedCount: number;
  /** Ranges that are known to be stale, and were left out. */
  readonly staleRangeCount: number;
  readonly differences: readonly LevelDifference[];
}

export interface LevelDifference extends BlockDifference {
  readonly granularity: Granularity;
}

/**
 * Computes every level of a stream anew from the finer one under it, and a derived stream from its sources,
 * and compares bit for bit with what is stored. Reads only. Null when the stream is gone.
 */
export async function verifyStream(
  context: EngineContext,
  streamId: StreamId,
  signal: AbortSignal | undefined,
): Promise<StreamReport | null> {
  for (let tryCount = 1; ; tryCount++) {
    const [before] = await context.backend.readStreams([streamId]);
    if (before === null || before === undefined) return null;
    const verifier = new StreamVerifier(context, before, signal);
    const report = await verifier.verify();
    if (report.differences.length === 0 || tryCount === TRY_COUNT_MAX) return report;
    // A commit between two reads looks like a difference: only one that stays is one.
    if (!(await verifier.hasMoved())) return report;
  }
}

class StreamVerifier {
  readonly #context: EngineContext;
  readonly #snapshot: StreamSnapshot;
  readonly #signal: AbortSignal | undefined;
  readonly #differences: LevelDifference[] = [];
  /** Everything that the report rests on. */
  readonly #read: StreamSnapshot[];
  /** Stored rows that were read for one level, and may be folded into the next one. */
  #heldCount = 0;
  #bucketCount = 0;
  #derivedCount = 0;

  constructor(context: EngineContext, snapshot: StreamSnapshot, signal: AbortSignal | undefined) {
    this.#context = { ...context, warn: () => {} };
    this.#snapshot = snapshot;
    this.#read = [snapshot];
    this.#signal = signal;
  }

  async verify(): Promise<StreamReport> {
    const { record } = this.#snapshot;
    if (record.derivation !== null) await this.#verifyDerived();
    // A level that the server computes from the datapoints themselves cannot differ from them.
    const hasLevels =
      this.#context.backend.supports.levels === 'stored' && !LevelSchema.of(record).isEmpty;
    if (hasLevels && originMs(this.#snapshot) !== null) {
      const draft = new LevelDraft(this.#context.backend, this.#snapshot);
      for (const rung of draft.ladder.rungs) await this.#verifyLevel(draft, rung);
    }
    const levels = Object.values(record.levels);
    return {
      bucketCount: this.#bucketCount,
      derivedCount: this.#derivedCount,
      staleRangeCount: levels.reduce(
        (sum, level) => sum + (level?.stale.length ?? 0),
        record.stale.length,
      ),
      differences: this.#differences,
    };
  }

  /** Whether the stream, or a source of it, was touched since verification began. */
  async hasMoved(): Promise<boolean> {
    const now = await this.#context.backend.readStreams(this.#read.map(({ record }) => record.id));
    return this.#read.some(({ version }, index) => now[index]?.version !== version);
  }

  async #verifyLevel(draft: LevelDraft, rung: Rung): Promise<void> {
    const { granularity } = rung;
    const { untilMs, stale } = draft.level(granularity);
    if (untilMs === null) return;
    const schema = LevelSchema.of(this.#snapshot.record);
    const startMs = Math.max(
      levelStartMs(this.#snapshot, granularity)!,
      computableFromMs(this.#snapshot.record, rung),
    );
    const fresh = outsideOf(stale, { startMs, endMs: untilMs });
    for (const { finer, range: part } of fresh.flatMap((item) =>
      draft.ladder.sourcesOf(rung, item),
    )) {
      // Odd buckets are made of raw datapoints, which have expired sooner.
      let range = this.#computablePart(granularity, finer, part);
      while (!isEmptyRange(range)) {
        this.#signal?.throwIfAborted();
        const task = { schema, granularity, finer, range };
        const options = { rowCountMax: ROW_COUNT_MAX, signal: this.#signal };
        const { computed } = foldComputed(draft, task) ?? (await foldRange(draft, task, options));
        const stored = await this.#compare(granularity, {
          range: computed.range,
          expected: computed.block,
        });
        this.#heldCount += stored.timestamps.length;
        if (this.#heldCount <= ROW_COUNT_MAX) {
          draft.remember({ granularity, range: computed.range, block: stored });
        }
        this.#bucketCount += computed.block.timestamps.length;
        range = restOfRange(range, computed.range.endMs);
        if (!isEmptyRange(range)) await turn();
      }
    }
  }

  #computablePart(granularity: Granularity, finer: Granularity, part: TimeRange): TimeRange {
    const untilMs = expiredUntilMs(this.#snapshot.record, finer.name);
    if (untilMs <= part.startMs) return part;
    return {
      startMs: Math.max(part.startMs, bucketStartMs(untilMs, granularity)),
      endMs: part.endMs,
    };
  }

  async #verifyDerived(): Promise<void> {
    const { derived, list, sources } = await readFamily(this.#context, this.#snapshot.record.id);
    this.#read.push(derived, ...sources);
    const { timestampRange } = this.#context.backend.supports;
    const run = new OperatorRun(derived.record, { sources: list, timestampRange });
    const { stale } = derived.record;
    const limitMs = pendingStartMs(stale);
    const task = { run, sources, stale: [], limitMs, signal: this.#signal };
    let mask: RangeSet = [];
    for (const range of [...stale, ...staleLevels(run, sources)]) {
      if (range.endMs === TIME_END_MS) continue;
      if (run.operator.reach.kind === 'running') {
        mask = [...mask, { startMs: range.startMs, endMs: TIME_END_MS }];
        continue;
      }
      const window = await replay(this.#context.backend, { ...task, stale, range });
      const open = { startMs: window.inputRange.endMs, endMs: window.openEndMs };
      mask = [...mask, window.range, outputRange(run.derivation, open)];
    }
    const startMs = Math.max(
      TIME_MIN_MS,
      derivableFromMs(derived.record, run.derivation.sources, sources),
    );
    let range: TimeRange = { startMs, endMs: limitMs };
    while (!isEmptyRange(range)) {
      this.#signal?.throwIfAborted();
      const window = await replay(this.#context.backend, { ...task, range });
      const { range: covered, inputRange: inputs, block } = window;
      await this.#compare(run.granularity, { range: covered, expected: block, mask });
      this.#derivedCount += block.timestamps.length;
      range = restOfRange(range, inputs.endMs);
      await turn();
    }
  }

  /** Gives the stored rows. */
  async #compare(
    granularity: Granularity,
    { range, expected, mask = [] }: { range: TimeRange; expected: Block; mask?: RangeSet },
  ): Promise<Block> {
    const blocks: Block[] = [];
    const request = { streamId: this.#snapshot.record.id, granularity, range };
    await visitBlocks(this.#context.backend, request, (block) => {
      blocks.push(block);
      return true;
    });
    const stored = concatBlocks(blocks);
    if (haveSameFloats(stored, expected)) return stored;
    for (const difference of compareBlocks(stored, expected)) {
      if (isInRanges(mask, difference.timestampMs)) continue;
      this.#differences.push({ ...difference, granularity });
    }
    return stored;
  }
}

/** Ranges in which a level that the stream reads will be others as soon as it is computed anew. */
function staleLevels({ derivation }: OperatorRun, sources: readonly StreamSnapshot[]): RangeSet {
  return derivation.sources.flatMap(({ granularity }, index) => {
    const source = sources[index]!;
    const read = Granularity.byName(granularity);
    // A finer range stands for whole buckets of what is read: these begin before it and end after it.
    const ladder = ladderOf(source.record);
    const lineage = ladder.has(read) ? ladder.lineage(read) : [];
    return lineage
      .flatMap((rung) => staleBuckets(source, rung.granularity))
      .map(({ startMs, endMs }) => ({
        startMs: bucketStartMs(startMs, read),
        endMs: bucketCeilMs(endMs, read),
      }));
  });
}

/** Of a level as far as it is computed; all of it, where all datapoints were deleted. */
function staleBuckets(stream: StreamSnapshot, granularity: Granularity): RangeSet {
  const { untilMs = null, stale = [] } = stream.record.levels[granularity.name] ?? {};
  if (untilMs === null) return [];
  return withLostBuckets(stale, Math.min(levelStartMs(stream, granularity) ?? untilMs, untilMs));
}

/** Whether both have the same rows of float64 numbers: the quick look, before it is asked which ones differ. */
function haveSameFloats(stored: Block, expected: Block): boolean {
  const names = Object.keys(expected.columns);
  return (
    Object.keys(stored.columns).length === names.length &&
    isSameColumn(stored.timestamps, expected.timestamps) &&
    names.every((name) => isSameColumn(stored.columns[name], expected.columns[name]))
  );
}

function isSameColumn(a: Column | undefined, b: Column | undefined): boolean {
  if (!(a instanceof Float64Array && b instanceof Float64Array) || a.length !== b.length) {
    return false;
  }
  for (let row = 0; row < a.length; row++) if (!Object.is(a[row], b[row])) return false;
  return true;
}
