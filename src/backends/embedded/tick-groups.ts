import type { LevelState, StreamState } from './view.ts';

/** Rows of one tick that belong to one level: the first `count` of each array. */
export interface TickGroup {
  readonly level: number;
  readonly count: number;
  readonly ordinals: Uint32Array;
  readonly values: Float64Array;
  readonly streams: readonly StreamState[];
  /** The raw levels of the streams. */
  readonly states: readonly LevelState[];
}

class GrowingGroup {
  count = 0;
  ordinals: Uint32Array = new Uint32Array(0);
  values: Float64Array = new Float64Array(0);
  readonly level: number;
  readonly streams: StreamState[] = [];
  readonly states: LevelState[] = [];

  constructor(level: number) {
    this.level = level;
  }

  reset(countMax: number): void {
    this.count = 0;
    if (countMax <= this.values.length) return;
    this.ordinals = new Uint32Array(countMax);
    this.values = new Float64Array(countMax);
  }
}

/** Sorts the rows of a tick by level, in arrays that are kept from tick to tick. */
export class TickGroups {
  readonly #groups: Map<number, GrowingGroup> = new Map();
  #countMax = 0;

  /** Starts a new tick of at most so many rows. */
  reset(countMax: number): void {
    this.#countMax = countMax;
    for (const group of this.#groups.values()) group.reset(countMax);
  }

  add(stream: StreamState, state: LevelState, value: number): void {
    let group = this.#groups.get(stream.rawLevel);
    if (group === undefined) {
      group = new GrowingGroup(stream.rawLevel);
      group.reset(this.#countMax);
      this.#groups.set(stream.rawLevel, group);
    }
    const i = group.count++;
    group.ordinals[i] = stream.ordinal;
    group.values[i] = value;
    group.streams[i] = stream;
    group.states[i] = state;
  }

  /** Valid until the next reset. */
  filled(): readonly TickGroup[] {
    return [...this.#groups.values()].filter((group) => group.count > 0);
  }
}
