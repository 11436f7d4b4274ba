import type { Expectation } from '../backends/backend.ts';
import type { Reach } from '../derive/operator.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { bucketCeilMs, bucketStartMs, Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { expiredUntilMs, keptDurations } from '../model/retention.ts';
import type { RangeSet } from '../model/staleness.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { TIME_MIN_MS } from '../model/time-range.ts';
import type { EngineContext } from './context.ts';
import { type Family, readFamily } from './derived-maintenance.ts';
import { derivableFromMs } from './expiry.ts';
import { mergeInputs } from './input-merge.ts';
import { OperatorRun } from './operator-run.ts';
import { outputOffsetMs } from './output-offset.ts';
import { lastOutput } from './restore-state.ts';
import { settledUntilMs } from './settled-inputs.ts';

/** Cuts are made in steps, the largest that is no more than this part of the time that rows are kept. */
const STEP_PART = 1 / 32;

/** What of one granularity of a stream is to go. */
export interface RetentionCut {
  readonly granularity: Granularity;
  /** Rows before it expire. */
  readonly untilMs: number;
  /** Rows before it may be deleted: the others are needed for something that is computed from later ones. */
  readonly fromMs: number;
  /** What it was decided from, apart from the stream itself. */
  readonly expect: readonly Expectation[];
}

/**
 * Finds out what of a stream has been kept long enough, and is needed by nothing any more. What is stale, or
 * not computed yet, holds it back, in the stream itself and in what derives from it.
 */
export class RetentionPlanner {
  readonly #context: EngineContext;
  readonly #snapshot: StreamSnapshot;

  constructor(context: EngineContext, snapshot: StreamSnapshot) {
    this.#context = context;
    this.#snapshot = snapshot;
  }

  /** Cuts of each granularity for which rows are not kept for ever, from the finest. */
  async *cuts(): AsyncGenerator<RetentionCut, void, undefined> {
    const { record, latestMs } = this.#snapshot;
    if (latestMs === null) return;
    let finestLimitMs = Number.POSITIVE_INFINITY;
    for (const { granularity, durationMs } of keptDurations(record)) {
      const isRaw = granularity.name === record.highestGranularity;
      const families = await this.#familiesReading(granularity);
      const wantedMs = keptUntilMs(this.#context.nowMs(), durationMs);
      if (wantedMs === Number.NEGATIVE_INFINITY) return;
      const ownMs = isRaw ? await this.#outputsUntilMs() : computedMs(record, granularity);
      let heldMs = Math.min(wantedMs, finestLimitMs, this.#limitMs(granularity, ownMs), latestMs);
      for (const family of families) {
        heldMs = Math.min(heldMs, await settledUntilMs(this.#context, family));
      }
      const untilMs = Math.max(
        bucketStartMs(heldMs, granularity),
        expiredUntilMs(record, granularity.name),
      );
      // A coarser level does not go before what it was computed from, which may be held back.
      finestLimitMs = expiredUntilMs(record, granularity.name);
      if (untilMs === Number.NEGATIVE_INFINITY) return;
      const fromMs = Math.min(
        this.#neededByLevelsMs(granularity, untilMs),
        await this.#neededMs(families, untilMs),
        isRaw
          ? await this.#neededByItselfMs(untilMs)
          : await this.#heldFromMs(granularity, untilMs),
      );
      if (fromMs === Number.NEGATIVE_INFINITY) continue;
      const expect = families.map(({ derived: { record: derived, revision } }) => ({
        streamId: derived.id,
        revision,
      }));
      yield { granularity, untilMs, fromMs: bucketStartMs(fromMs, granularity), expect };
    }
  }

  /**
   * What is stale, or not computed yet, of the granularity itself and of what is computed from it.
   * @param ownMs of the granularity itself.
   */
  #limitMs(granularity: Granularity, ownMs: number): number {
    const { record } = this.#snapshot;
    const ladder = ladderOf(record);
    const isRaw = granularity.name === record.highestGranularity;
    if (LevelSchema.of(record).isEmpty) return ownMs;
    const coarser = isRaw ? ladder.fromRaw : ladder.rung(granularity).coarser;
    const odd = isRaw ? this.#oddFromMs(ownMs) : Number.POSITIVE_INFINITY;
    return Math.min(ownMs, odd, ...coarser.map((level) => computedMs(record, level)));
  }

  /**
   * Start of the first bucket that is made of raw datapoints while others of its level are not, of those that
   * are not computed yet, or may become stale again.
   */
  #oddFromMs(untilMs: number): number {
    const { record, latestMs } = this.#snapshot;
    const ladder = ladderOf(record);
    if (ladder.isNested) return Number.POSITIVE_INFINITY;
    const keptMs = Math.min(untilMs, latestMs ?? untilMs, this.#rawWantedMs());
    const starts = ladder.rungs.flatMap((rung) => {
      const { granularity } = rung;
      const fromMs = Math.min(computedMs(record, granularity), bucketStartMs(keptMs, granularity));
      if (rung.isNested || !Number.isFinite(fromMs)) return rung.isNested ? [] : [fromMs];
      const range = { startMs: fromMs, endMs: bucketCeilMs(keptMs, granularity) };
      return ladder
        .sourcesOf(rung, range)
        .filter(({ finer }) => finer === ladder.raw)
        .map((part) => part.range.startMs);
    });
    return Math.min(Number.POSITIVE_INFINITY, ...starts);
  }

  #rawWantedMs(): number {
    const [raw] = keptDurations(this.#snapshot.record);
    return keptUntilMs(this.#context.nowMs(), raw!.durationMs);
  }

  /** Up to where a derived stream is computed, as the time of its outputs. */
  async #outputsUntilMs(): Promise<number> {
    const { id, derivation } = this.#snapshot.record;
    if (derivation === null) return Number.POSITIVE_INFINITY;
    const family = await readFamily(this.#context, id);
    return (await settledUntilMs(this.#context, family)) + outputOffsetMs(derivation);
  }

  /** Buckets of coarser levels, in which rows begin to expire, may still change. */
  #neededByLevelsMs(granularity: Granularity, untilMs: number): number {
    const { record } = this.#snapshot;
    if (LevelSchema.of(record).isEmpty) return untilMs;
    const ladder = ladderOf(record);
    const isRaw = granularity.name === record.highestGranularity;
    const coarser = isRaw ? ladder.fromRaw : ladder.rung(granularity).coarser;
    return Math.min(untilMs, ...coarser.map((level) => bucketStartMs(untilMs, level)));
  }

  async #familiesReading(granularity: Granularity): Promise<readonly Family[]> {
    const ids = new Set<StreamId>();
    for (const dependent of this.#snapshot.record.dependents) {
      if (dependent.granularity === granularity.name) ids.add(dependent.streamId);
    }
    const families: Family[] = [];
    for (const id of ids) families.push(await readFamily(this.#context, id));
    return families;
  }

  /** The first row that derived streams need to compute what lies from `untilMs` on. */
  async #neededMs(families: readonly Family[], untilMs: number): Promise<number> {
    let fromMs = untilMs;
    for (const family of families) {
      fromMs = Math.min(fromMs, await this.#neededByMs(family, untilMs));
    }
    return fromMs;
  }

  async #neededByMs(family: Family, untilMs: number): Promise<number> {
    const { derived, list, sources } = family;
    const run = this.#runOf(family);
    const { reach } = run.operator;
    switch (reach.kind) {
      case 'bucket':
        return bucketStartMs(untilMs, run.granularity);
      case 'shift':
        return untilMs;
      case 'window':
        return Math.floor(untilMs - reach.windowMs(run.context.args));
      case 'sequence':
        return this.#settledMs(run, { streams: sources, beforeMs: untilMs, reach });
      case 'running': {
        // It goes on from the last output that is no null, and the inputs at its instant.
        const beforeMs = Math.max(untilMs, derivableFromMs(derived.record, list, sources));
        const last = await lastOutput(run, this.#context.backend, beforeMs);
        return last?.timestampMs ?? Number.NEGATIVE_INFINITY;
      }
    }
  }

  /** The first of its own outputs that a derived stream needs to go on; of other streams `untilMs`. */
  async #neededByItselfMs(untilMs: number): Promise<number> {
    if (this.#snapshot.record.derivation === null) return untilMs;
    const family = await readFamily(this.#context, this.#snapshot.record.id);
    const run = this.#runOf(family);
    if (run.operator.reach.kind !== 'running') return untilMs;
    const { derived, list, sources } = family;
    const beforeMs = Math.max(untilMs, derivableFromMs(derived.record, list, sources));
    const last = await lastOutput(run, this.#context.backend, beforeMs);
    return Math.min(untilMs, last?.timestampMs ?? untilMs);
  }

  /** The last bucket with data before a level goes on, where its value is held into those that are kept. */
  async #heldFromMs(granularity: Granularity, untilMs: number): Promise<number> {
    const { record } = this.#snapshot;
    if (!LevelSchema.of(record).select({}).isOfHeld) return untilMs;
    const { block } = await this.#context.backend.readPage({
      streamId: record.id,
      granularity,
      range: { startMs: TIME_MIN_MS, endMs: untilMs },
      rowCountMax: 1,
      columns: [],
      isReverse: true,
    });
    return block.timestamps.at(-1) ?? untilMs;
  }

  #runOf({ derived, list }: Family): OperatorRun {
    const { timestampRange } = this.#context.backend.supports;
    return new OperatorRun(derived.record, { sources: list, timestampRange });
  }

  /** The last input before the instant that settles an operator's state; all of them where none does. */
  async #settledMs(
    run: OperatorRun,
    {
      streams,
      beforeMs,
      reach,
    }: {
      readonly streams: readonly StreamSnapshot[];
      readonly beforeMs: number;
      readonly reach: Reach & { readonly kind: 'sequence' };
    },
  ): Promise<number> {
    const range = { startMs: TIME_MIN_MS, endMs: beforeMs };
    const reading = { isReverse: true, firstRowCount: 2 };
    const cursors = run.openCursors(this.#context.backend, { streams, range }, reading);
    let settledMs: number | null = null;
    let hasInputs = false;
    const visit = (input: Parameters<typeof reach.settles>[0]): boolean => {
      hasInputs = true;
      if (!reach.settles(input)) return true;
      settledMs = input.timestampMs;
      return false;
    };
    await mergeInputs(cursors, visit, { isReverse: true });
    return settledMs ?? (hasInputs ? Number.NEGATIVE_INFINITY : beforeMs);
  }
}

/** Up to when rows have been kept long enough, in steps that are worth a commit. */
export function keptUntilMs(nowMs: number, durationMs: number): number {
  if (durationMs === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  const step = Granularity.values.findLast((item) => item.durationMs <= durationMs * STEP_PART);
  return bucketStartMs(nowMs - durationMs, step ?? Granularity.Seconds);
}

/** Up to where a level is computed, and not stale. */
function computedMs({ levels }: StreamRecord, { name }: Granularity): number {
  const level = levels[name];
  return Math.min(level?.untilMs ?? Number.NEGATIVE_INFINITY, firstMs(level?.stale ?? []));
}

function firstMs(stale: RangeSet): number {
  return stale[0]?.startMs ?? Number.POSITIVE_INFINITY;
}
