import { assert } from './assert.ts';
import {
  Granularity,
  type GranularityName,
  lowerGranularities,
  RAW_GRANULARITIES,
} from './granularity.ts';
import { levelNumber } from './level-number.ts';
import { nestingOf, oddRanges, outsideOf } from './nesting.ts';
import type { StreamRecord } from './stream.ts';
import type { TimeRange } from './time-range.ts';
import { UTC } from './time-zone.ts';

/** A level, and what it is computed from. */
export interface Rung {
  readonly granularity: Granularity;
  /** The coarsest level whose buckets make up its own; the raw granularity where there is none. */
  readonly finer: Granularity;
  /** Where `finer` is in `levels`; -1: it is the raw granularity. */
  readonly finerIndex: number;
  readonly isFromRaw: boolean;
  /**
   * Whether each bucket is made of whole ones of `finer`. False: there may have been times when clocks showed an
   * odd local time; buckets of these are computed from raw datapoints, as `sourcesOf` says.
   */
  readonly isNested: boolean;
  /** The levels that are computed from it. */
  readonly coarser: readonly Granularity[];
}

/** What decides which levels a stream has. */
export type LadderRecord = Pick<StreamRecord, 'highestGranularity' | 'timeZone' | 'extraLevels'>;

type RungStep = Pick<Rung, 'granularity' | 'finer' | 'isNested'>;

/** The levels of a stream, and how each follows from another one. Streams with the same levels share it. */
export class Ladder {
  readonly raw: Granularity;
  /** From the finest to the coarsest: each comes after what it is computed from. */
  readonly rungs: readonly Rung[];
  readonly levels: readonly Granularity[];
  /** The levels that are computed from the raw datapoints. */
  readonly fromRaw: readonly Granularity[];
  /** Whether each level is computed from the one before it, and from that alone. */
  readonly isChain: boolean;
  /** Whether all buckets of every level are made of whole ones of its finer level. */
  readonly isNested: boolean;
  readonly #byName: ReadonlyMap<GranularityName, Rung>;

  constructor(raw: Granularity, steps: readonly RungStep[]) {
    const coarserOf = (finer: Granularity): readonly Granularity[] =>
      Object.freeze(
        steps.filter((step) => step.finer === finer).map(({ granularity }) => granularity),
      );
    this.raw = raw;
    this.rungs = Object.freeze(
      steps.map((step) =>
        Object.freeze({
          ...step,
          finerIndex: steps.findIndex(({ granularity }) => granularity === step.finer),
          isFromRaw: step.finer === raw,
          coarser: coarserOf(step.granularity),
        }),
      ),
    );
    this.levels = Object.freeze(steps.map(({ granularity }) => granularity));
    this.fromRaw = coarserOf(raw);
    this.isChain = steps.every(
      ({ finer, isNested }, index) => isNested && finer === (this.levels[index - 1] ?? raw),
    );
    this.isNested = steps.every(({ isNested }) => isNested);
    this.#byName = new Map(this.rungs.map((rung) => [rung.granularity.name, rung]));
  }

  has({ name }: Granularity): boolean {
    return this.#byName.has(name);
  }

  /** @param granularity a level. */
  rung({ name }: Granularity): Rung {
    const rung = this.#byName.get(name);
    assert(rung !== undefined, 'a level is on the ladder of its stream');
    return rung;
  }

  /** The level with all that it is computed from, raw datapoints apart: from the finest to itself. */
  lineage(granularity: Granularity): readonly Rung[] {
    const rungs: Rung[] = [];
    for (let rung = this.rung(granularity); ; rung = this.rung(rung.finer)) {
      rungs.unshift(rung);
      if (rung.isFromRaw) return rungs;
    }
  }

  /**
   * Takes a range of a level apart into those that are computed from a finer level, and from raw datapoints,
   * ascending. Which it is depends on the bucket alone.
   * @param range on bucket boundaries of the level.
   */
  sourcesOf(rung: Rung, range: TimeRange): readonly LevelSource[] {
    const { granularity, finer, isNested } = rung;
    const odd = isNested ? [] : oddRanges(finer, granularity, range);
    if (odd.length === 0) return [{ finer, range }];
    return [
      ...outsideOf(odd, range).map((part) => ({ finer, range: part })),
      ...odd.map((part) => ({ finer: this.raw, range: part })),
    ].sort((a, b) => a.range.startMs - b.range.startMs);
  }
}

/** A range of a level with what it is computed from. */
export interface LevelSource {
  readonly finer: Granularity;
  readonly range: TimeRange;
}

const FIXED: ReadonlyMap<GranularityName, Ladder> = new Map(
  RAW_GRANULARITIES.map((raw) => [raw.name, new Ladder(raw, fixedSteps(raw))]),
);
const OTHERS: Map<string, Ladder> = new Map();
/** More kinds of ladders than this are made anew whenever they are asked for. */
const LADDER_COUNT_MAX = 10_000;

/** The ladder of a stream: every granularity of `Granularity.values` lower than its highest, and its extra levels. */
export function ladderOf({ highestGranularity, timeZone, extraLevels }: LadderRecord): Ladder {
  const fixed = FIXED.get(highestGranularity);
  assert(fixed !== undefined, 'the highest granularity of a stream is one for raw datapoints');
  if (extraLevels === undefined || extraLevels.length === 0) return fixed;
  const key = [highestGranularity, timeZone, ...extraLevels].join();
  let ladder = OTHERS.get(key);
  if (ladder === undefined) {
    const extra = extraLevels.map((level) => zonedLevel(level, timeZone));
    ladder = new Ladder(fixed.raw, stepsOf(fixed, extra));
    if (OTHERS.size < LADDER_COUNT_MAX) OTHERS.set(key, ladder);
  }
  return ladder;
}

/**
 * The granularity of an extra level of a stream in that zone.
 * @param level the name without a zone.
 */
function zonedLevel(level: string, timeZone: string = UTC): Granularity {
  const { every, unit } = Granularity.byName(level);
  return Granularity.of({ every, unit, timeZone });
}

function fixedSteps(raw: Granularity): readonly RungStep[] {
  const levels = lowerGranularities(raw.name);
  return levels.map((granularity, index) => ({
    granularity,
    finer: levels[index - 1] ?? raw,
    isNested: true,
  }));
}

/** A level that comes later leaves those that are there as they were computed: they follow from earlier ones alone. */
function stepsOf(fixed: Ladder, extra: readonly Granularity[]): readonly RungStep[] {
  const steps = extra.map((granularity, index) => {
    const earlier = [...fixed.levels, ...extra.slice(0, index)].sort(byLength);
    return extraStep(granularity, fixed.raw, earlier);
  });
  const rungs: readonly RungStep[] = fixed.rungs;
  return [...rungs, ...steps].sort((a, b) => byLength(a.granularity, b.granularity));
}

/** Streams have the levels of `Granularity.values` whatever else they have: these come first. */
function byLength(a: Granularity, b: Granularity): number {
  return a.durationMs - b.durationMs || levelNumber(a.name) - levelNumber(b.name);
}

/** The coarsest level that nests, and of equally long ones that which always does. */
function extraStep(
  granularity: Granularity,
  raw: Granularity,
  levels: readonly Granularity[],
): RungStep {
  let best: RungStep = { granularity, finer: raw, isNested: true };
  for (const finer of levels) {
    const nesting = nestingOf(finer, granularity);
    if (nesting === 'never') continue;
    const isLonger = best.finer === raw || finer.durationMs > best.finer.durationMs;
    const isSurer =
      finer.durationMs === best.finer.durationMs && nesting === 'always' && !best.isNested;
    if (isLonger || isSurer) best = { granularity, finer, isNested: nesting === 'always' };
  }
  return best;
}
