import type { Decimal } from 'decimal.js';
import { assert } from '../../model/assert.ts';
import type { Column } from '../../model/block.ts';
import { decimalOf, decimalText } from '../../model/high-accuracy.ts';
import type { Accumulator, Runs, StateRows } from './accumulator.ts';

/** Keeps one component of a high-accuracy stream: combined without rounding, stored as decimal strings. */
export class DecimalAccumulator implements Accumulator {
  readonly #component: string;
  readonly #combine: (a: Decimal, b: Decimal) => Decimal;
  #values: Decimal[] = [];

  constructor(component: string, combine: (a: Decimal, b: Decimal) => Decimal) {
    this.#component = component;
    this.#combine = combine;
  }

  addRaw(): void {
    assert(false, 'datapoints of a high-accuracy stream come as states');
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const column = columns[this.#component]!;
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const at = runs.firstRow + run;
      for (; row < runs.ends[run]!; row++) {
        const value = decimalOf(column[row] as Decimal | string);
        const before = this.#values[at];
        this.#values[at] = before === undefined ? value : this.#combine(before, value);
      }
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns[this.#component] = this.#values.splice(0, rowCount).map(decimalText);
  }
}
