import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/** Which end of a bucket a value is from, named as the component that keeps it. */
type Edge = 'a' | 'z';

/** Keeps `a` or `z` in float64. */
export class EdgeAccumulator implements Accumulator {
  readonly #edge: Edge;
  readonly #values = new GrowableColumn();

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  addRaw(runs: Runs, { values }: RawRows): void {
    takeEdges(this.#values.reserve(runs.firstRow + runs.count), values, { edge: this.#edge, runs });
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const values = columns[this.#edge]!;
    takeEdges(this.#values.reserve(runs.firstRow + runs.count), values, { edge: this.#edge, runs });
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns[this.#edge] = this.#values.take(rowCount);
  }
}

/** Keeps `a` or `z` of a nominal stream. */
export class JsonEdgeAccumulator implements Accumulator {
  readonly #edge: Edge;
  readonly #values: unknown[] = [];

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  addRaw(runs: Runs, { values }: RawRows): void {
    takeEdges(this.#values, values, { edge: this.#edge, runs });
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    takeEdges(this.#values, columns[this.#edge]!, { edge: this.#edge, runs });
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns[this.#edge] = this.#values.splice(0, rowCount);
  }
}

function takeEdges(
  taken: Float64Array | unknown[],
  values: Column,
  { edge, runs }: { edge: Edge; runs: Runs },
): void {
  const { count, ends, firstRow, isContinued } = runs;
  // A bucket that was begun has its first value.
  for (let run = edge === 'a' && isContinued ? 1 : 0; run < count; run++) {
    const row = edge === 'z' ? ends[run]! - 1 : run === 0 ? 0 : ends[run - 1]!;
    taken[firstRow + run] = values[row] as number;
  }
}
