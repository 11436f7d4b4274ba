/** Ticks whose cells are kept together, a power of 2: so many cells of a stream fill few cache lines. */
export const SLAB_TICK_COUNT = 32;
/** Bits of a tick that say where it stands in its slab. */
const SLAB_BITS = 5;
const SLAB_MASK: number = SLAB_TICK_COUNT - 1;
/** Streams whose cells are turned around in one walk: their part of a tick stays in the cache. */
const TILE_STREAM_COUNT = 64;

/** Of one tick and column: the cell of each stream, or the one that all of them have. */
export type Cells = Float64Array | number;

/**
 * The cells of one column of a cohort. Those of the newest ticks stand by tick, as they came; when a
 * slab of ticks is full it is turned around, so that the cells of each stream stand together and a
 * read takes few cache lines. Ticks are counted from 0 on; only whole slabs are released.
 */
export class CohortCells {
  readonly #streamCount: number;
  /** Full ones: by stream, then by tick; a number is every cell of the slab. */
  #slabs: Cells[] = [];
  /** By tick, then by stream. Grows, so that a column of few ticks stays small. */
  #open: Float64Array = new Float64Array(0);
  #openCount = 0;
  /** All cells of the open ticks are this number as long as `#isUniform`; then `#open` is not used. */
  #uniform = 0;
  #isUniform = true;

  constructor(streamCount: number) {
    this.#streamCount = streamCount;
  }

  /** Adds a tick, by copy. */
  push(cells: Cells): void {
    if (this.#openCount === 0) {
      this.#isUniform = typeof cells === 'number';
      this.#uniform = typeof cells === 'number' ? cells : 0;
    }
    if (!this.#isUniform || typeof cells !== 'number' || !Object.is(cells, this.#uniform)) {
      this.#pushApart(cells);
    }
    this.#openCount++;
    if (this.#openCount === SLAB_TICK_COUNT) this.#turn();
  }

  cell(index: number, tick: number): number {
    const slab = this.#slabs[tick >>> SLAB_BITS];
    if (typeof slab === 'number') return slab;
    if (slab !== undefined) return slab[index * SLAB_TICK_COUNT + (tick & SLAB_MASK)]!;
    if (this.#isUniform) return this.#uniform;
    return this.#open[(tick & SLAB_MASK) * this.#streamCount + index]!;
  }

  /** The cells of one stream in the ticks `[from, to)`, in an array of its own. */
  column(index: number, { from, to }: { from: number; to: number }): Float64Array {
    const values = new Float64Array(to - from);
    this.read(index, from, values);
    return values;
  }

  /** Puts the cells of one stream from a tick on into `values`, as many as there is room for. */
  read(index: number, from: number, values: Float64Array): void {
    const to = from + values.length;
    const closedEnd = Math.min(to, this.#slabs.length * SLAB_TICK_COUNT);
    let row = 0;
    for (let tick = from; tick < closedEnd; ) {
      const end = Math.min(closedEnd, (tick | SLAB_MASK) + 1);
      const slab = this.#slabs[tick >>> SLAB_BITS]!;
      const count = end - tick;
      if (typeof slab === 'number') {
        values.fill(slab, row, row + count);
      } else {
        const at = index * SLAB_TICK_COUNT + (tick & SLAB_MASK);
        for (let i = 0; i < count; i++) values[row + i] = slab[at + i]!;
      }
      row += count;
      tick = end;
    }
    const tick = Math.max(from, closedEnd);
    this.#copyOpen(index, tick, { values, from: row, to: values.length });
  }

  /**
   * As `column` for each of many streams, in `memory`, which has room for all: slab by slab, so that the cells
   * of neighbours are read together.
   */
  columns(
    indexes: readonly number[],
    ticks: { from: number; to: number },
    memory: Float64Array,
  ): Float64Array[] {
    const rowCount = ticks.to - ticks.from;
    const closedEnd = Math.min(ticks.to, this.#slabs.length * SLAB_TICK_COUNT);
    let tick = ticks.from;
    while (tick < closedEnd) {
      const end = Math.min(closedEnd, (tick | SLAB_MASK) + 1);
      const slab = this.#slabs[tick >>> SLAB_BITS]!;
      gather(slab, indexes, { memory, rowCount, tick, at: tick - ticks.from, count: end - tick });
      tick = end;
    }
    return indexes.map((index, place) => {
      const to = (place + 1) * rowCount;
      this.#copyOpen(index, tick, { values: memory, from: to - (ticks.to - tick), to });
      return memory.subarray(to - rowCount, to);
    });
  }

  /** The open cells of a stream from a tick on. */
  #copyOpen(
    index: number,
    tick: number,
    { values, from, to }: { values: Float64Array; from: number; to: number },
  ): void {
    if (this.#isUniform) {
      values.fill(this.#uniform, from, to);
      return;
    }
    const streamCount = this.#streamCount;
    const open = this.#open;
    let at = (tick & SLAB_MASK) * streamCount + index;
    for (let row = from; row < to; row++, at += streamCount) values[row] = open[at]!;
  }

  /** Gives back the first slabs; the ticks behind them are counted from 0 on. */
  release(slabCount: number): void {
    this.#slabs = this.#slabs.slice(slabCount);
  }

  /** Gives back all ticks. */
  clear(): void {
    this.#slabs = [];
    this.#open = new Float64Array(0);
    this.#openCount = 0;
    this.#isUniform = true;
  }

  #pushApart(cells: Cells): void {
    const streamCount = this.#streamCount;
    const from = this.#openCount * streamCount;
    if (from + streamCount > this.#open.length) {
      const tickCount = Math.min(SLAB_TICK_COUNT, Math.max(2, this.#openCount * 2));
      const open = new Float64Array(tickCount * streamCount);
      open.set(this.#open.subarray(0, from));
      this.#open = open;
    }
    if (this.#isUniform) this.#open.fill(this.#uniform, 0, from);
    this.#isUniform = false;
    if (typeof cells === 'number') this.#open.fill(cells, from, from + streamCount);
    else this.#open.set(cells, from);
  }

  /** Puts the open ticks, a slab of them, behind the others. */
  #turn(): void {
    this.#slabs.push(this.#isUniform ? this.#uniform : turned(this.#open, this.#streamCount));
    this.#openCount = 0;
    this.#isUniform = true;
    this.#uniform = 0;
  }
}

interface Gathering {
  /** Takes the cells, by stream. */
  readonly memory: Float64Array;
  /** Cells of a stream in the memory. */
  readonly rowCount: number;
  /** The first tick to be read. */
  readonly tick: number;
  /** Its place among the cells of a stream in the memory. */
  readonly at: number;
  readonly count: number;
}

/** Copies some ticks of a full slab, of one stream after the other. */
function gather(
  slab: Cells,
  indexes: readonly number[],
  { memory, rowCount, tick, at, count }: Gathering,
): void {
  const first = tick & SLAB_MASK;
  let to = at;
  for (let place = 0; place < indexes.length; place++, to += rowCount) {
    if (typeof slab === 'number') {
      memory.fill(slab, to, to + count);
      continue;
    }
    const from = indexes[place]! * SLAB_TICK_COUNT + first;
    for (let i = 0; i < count; i++) memory[to + i] = slab[from + i]!;
  }
}

/** A slab that stands by tick, by stream. */
function turned(cells: Float64Array, streamCount: number): Float64Array {
  const result = new Float64Array(streamCount * SLAB_TICK_COUNT);
  for (let start = 0; start < streamCount; start += TILE_STREAM_COUNT) {
    const end = Math.min(streamCount, start + TILE_STREAM_COUNT);
    for (let tick = 0; tick < SLAB_TICK_COUNT; tick++) {
      const row = tick * streamCount;
      let at = start * SLAB_TICK_COUNT + tick;
      for (let index = start; index < end; index++, at += SLAB_TICK_COUNT) {
        result[at] = cells[row + index]!;
      }
    }
  }
  return result;
}
