import { Decimal } from 'decimal.js';
import { turn } from '../../engine/turn.ts';
import type { Column } from '../../model/block.ts';
import { isStoredGroup } from '../../model/value.ts';
import { datapointAt, reverseDatapoints, sliceDatapoints } from '../datapoint-columns.ts';
import type { DatapointRows } from '../datapoint-rows.ts';
import { OBJECT_COUNT_MAX } from '../sequence.ts';
import type { Datapoint, DatapointColumns } from '../types.ts';
import { PickedRows } from './picked-rows.ts';
import { gapCountMax, type PointPlan, planPoints } from './point-plan.ts';
import { ShapeScan } from './series-shape.ts';
import { TrianglePicker } from './triangle-picker.ts';

/** Rows that are looked at in a few milliseconds. */
const ROWS_PER_TURN = 2 ** 16;

export interface ThinOptions {
  /** At least 1. */
  readonly pointCountMax: number;
  /** Null: the points are picked at equal distances. Otherwise they show the shape of a column. */
  readonly shape: SeriesColumn | null;
  readonly isReverse: boolean;
}

/** Tells which column it is whose shape counts; it has numbers, nulls apart. */
export type SeriesColumn = (columns: DatapointColumns) => Column;

/**
 * Some of the rows of a read, at most so many. Read twice, to know the shape and to pick; held are the rows
 * that are picked, and a bounded number of others.
 */
export class ThinnedRows implements DatapointRows {
  /** In order of time. */
  readonly #rows: DatapointRows;
  readonly #options: ThinOptions;
  #thinned: Promise<DatapointColumns> | null = null;

  constructor(rows: DatapointRows, options: ThinOptions) {
    this.#rows = rows;
    this.#options = options;
  }

  async count(): Promise<number> {
    return (await this.#all()).timestamps.length;
  }

  async *blocks(from: number, to: number): AsyncGenerator<readonly Datapoint[], void, undefined> {
    const columns = await this.#all();
    const end = Math.min(to, columns.timestamps.length);
    for (let start = from; start < end; start += OBJECT_COUNT_MAX) {
      const length = Math.min(OBJECT_COUNT_MAX, end - start);
      yield Array.from({ length }, (_, row) => datapointAt(columns, start + row));
    }
  }

  async columns(from: number, to: number): Promise<DatapointColumns> {
    return sliceDatapoints(await this.#all(), from, to);
  }

  async *columnBlocks(from: number, to: number): AsyncGenerator<DatapointColumns, void, undefined> {
    const columns = await this.columns(from, to);
    if (columns.timestamps.length > 0) yield columns;
  }

  #all(): Promise<DatapointColumns> {
    this.#thinned ??= this.#thin();
    return this.#thinned;
  }

  /** All rows in order; whatever else the process does has its turn between them. */
  async *#columnBlocks(
    rowCount = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<DatapointColumns, void, undefined> {
    let sinceTurnCount = 0;
    for await (const columns of this.#rows.columnBlocks(0, rowCount)) {
      yield columns;
      sinceTurnCount += columns.timestamps.length;
      if (sinceTurnCount < ROWS_PER_TURN) continue;
      sinceTurnCount = 0;
      await turn();
    }
  }

  async #thin(): Promise<DatapointColumns> {
    const { shape, isReverse } = this.#options;
    const columns = await (shape === null ? this.#evenly() : this.#byShape(shape));
    return isReverse ? reverseDatapoints(columns) : columns;
  }

  async #evenly(): Promise<DatapointColumns> {
    const { pointCountMax } = this.#options;
    const rowCount = await this.#rows.count();
    if (rowCount <= pointCountMax) return this.#rows.columns(0, pointCountMax);
    const picked = new PickedRows();
    let position = 0;
    let pick = 0;
    for await (const columns of this.#columnBlocks(rowCount)) {
      picked.addBlock(columns);
      position += columns.timestamps.length;
      for (; pick < pointCountMax; pick++) {
        const picking = Math.round((pick * (rowCount - 1)) / Math.max(1, pointCountMax - 1));
        if (picking >= position) break;
        picked.pick(picking);
      }
      if (picked.isFull) picked.keepOnly([]);
    }
    return picked.finish();
  }

  async #byShape(column: SeriesColumn): Promise<DatapointColumns> {
    const { pointCountMax } = this.#options;
    const scan = new ShapeScan(gapCountMax(pointCountMax));
    for await (const columns of this.#columnBlocks()) {
      const values = numbersOf(column(columns));
      for (let row = 0; row < values.length; row++) {
        scan.add(columns.timestamps[row]!, values[row]!);
      }
    }
    const { shape } = scan;
    if (shape.rowCount <= pointCountMax) return this.#rows.columns(0, pointCountMax);
    return this.#pickPoints(column, planPoints(shape, pointCountMax), scaleOf(shape.greatest));
  }

  async #pickPoints(
    column: SeriesColumn,
    plan: PointPlan,
    scale: number,
  ): Promise<DatapointColumns> {
    const picked = new PickedRows();
    const picker = new RunPicker(plan, (position) => picked.pick(position));
    for await (const columns of this.#columnBlocks()) {
      picked.addBlock(columns);
      const values = numbersOf(column(columns));
      for (let row = 0; row < values.length; row++) {
        picker.add(columns.timestamps[row]!, values[row]! * scale);
      }
      if (picked.isFull) picked.keepOnly(picker.candidates);
    }
    picker.finish();
    return picked.finish();
  }
}

/** Follows a plan: picks the shape of each run, and a row of each gap between. */
class RunPicker {
  readonly #plan: PointPlan;
  readonly #pick: (position: number) => void;
  #position = 0;
  #startMs = 0;
  #gap = 0;
  #run = 0;
  #triangles: TrianglePicker | null = null;

  constructor(plan: PointPlan, pick: (position: number) => void) {
    this.#plan = plan;
    this.#pick = pick;
  }

  add(timestampMs: number, value: number): void {
    const position = this.#position++;
    if (!Number.isFinite(value)) {
      if (position === this.#plan.gapPositions[this.#gap]) this.#showGap(position);
      return;
    }
    if (this.#triangles === null) {
      this.#startMs = timestampMs;
      const run = this.#plan.runs[this.#run++];
      // Data that comes in between the two readings has no place in the plan.
      if (run === undefined) return;
      this.#triangles = new TrianglePicker(run, this.#pick);
    }
    this.#triangles.add(timestampMs - this.#startMs, value, position);
  }

  finish(): void {
    this.#triangles?.finish();
    this.#triangles = null;
  }

  /** Positions of rows so far that may still be picked, ascending. */
  get candidates(): readonly number[] {
    return this.#triangles?.candidates ?? [];
  }

  #showGap(position: number): void {
    this.finish();
    this.#pick(position);
    this.#gap++;
  }
}

/** Numbers, of already downsampled values their means; what is not finite is no value. */
function numbersOf(column: Column): Float64Array {
  if (column instanceof Float64Array) return column;
  return Float64Array.from(column, (value) => {
    if (value === null) return Number.NaN;
    const isGroup = isStoredGroup(value) && !Decimal.isDecimal(value);
    return Number(isGroup ? groupMean(value) : value);
  });
}

function groupMean(group: Readonly<Record<string, unknown>>): unknown {
  return group['m'] ?? Number(group['s']) / Number(group['c']);
}

/** A power of two, by which values become so small that no product of them with a time overflows. */
function scaleOf(greatest: number): number {
  return greatest > 1 ? 2 ** -Math.ceil(Math.log2(greatest)) : 1;
}
