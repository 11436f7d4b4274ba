import { assert } from './assert.ts';
import { Granularity, type GranularityName, lowerGranularities } from './granularity.ts';
import type { StreamRecord } from './stream.ts';

/** A level, and what it is computed from. */
export interface Rung {
  readonly granularity: Granularity;
  /** The next finer level whose buckets make up its own; the raw granularity where there is none. */
  readonly finer: Granularity;
  /** Whether `finer` are the raw datapoints. */
  readonly isFromRaw: boolean;
  /** The levels that are computed from it. */
  readonly coarser: readonly Granularity[];
}

/** What decides which levels a stream has. */
export type LadderRecord = Pick<StreamRecord, 'highestGranularity'>;

/** The levels of a stream, and how each follows from another one. Streams with the same levels share it. */
export class Ladder {
  readonly raw: Granularity;
  /** From the finest to the coarsest: each comes after what it is computed from. */
  readonly rungs: readonly Rung[];
  readonly levels: readonly Granularity[];
  /** The levels that are computed from the raw datapoints. */
  readonly fromRaw: readonly Granularity[];
  /** Whether each level is computed from the one before it. */
  readonly isChain: boolean;
  readonly #byName: ReadonlyMap<GranularityName, Rung>;

  constructor(
    raw: Granularity,
    steps: readonly { granularity: Granularity; finer: Granularity }[],
  ) {
    const coarserOf = (finer: Granularity): readonly Granularity[] =>
      Object.freeze(
        steps.filter((step) => step.finer === finer).map(({ granularity }) => granularity),
      );
    this.raw = raw;
    this.rungs = Object.freeze(
      steps.map(({ granularity, finer }) =>
        Object.freeze({
          granularity,
          finer,
          isFromRaw: finer === raw,
          coarser: coarserOf(granularity),
        }),
      ),
    );
    this.levels = Object.freeze(steps.map(({ granularity }) => granularity));
    this.fromRaw = coarserOf(raw);
    this.isChain = steps.every(({ finer }, index) => finer === (this.levels[index - 1] ?? raw));
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
}

const FIXED: ReadonlyMap<GranularityName, Ladder> = new Map(
  Granularity.values.map((raw) => {
    const levels = lowerGranularities(raw.name);
    const steps = levels.map((granularity, index) => ({
      granularity,
      finer: levels[index - 1] ?? raw,
    }));
    return [raw.name, new Ladder(raw, steps)];
  }),
);

/** The ladder of a stream: every granularity lower than its highest. */
export function ladderOf({ highestGranularity }: LadderRecord): Ladder {
  const ladder = FIXED.get(highestGranularity);
  assert(ladder !== undefined, 'a granularity name that passed validation is known');
  return ladder;
}
