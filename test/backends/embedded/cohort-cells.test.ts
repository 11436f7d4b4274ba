import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Cells,
  CohortCells,
  SLAB_TICK_COUNT,
} from '../../../src/backends/embedded/cohort-cells.ts';

const STREAM_COUNT = 70;

/** Cells that differ by stream and tick, or the same for all. */
function cellsOf(tick: number, isUniform: boolean): Cells {
  if (isUniform) return tick % 3 === 0 ? -0 : Number.NaN;
  return Float64Array.from({ length: STREAM_COUNT }, (_, index) => tick * 1000 + index);
}

function cellOf(cells: Cells, index: number): number {
  return typeof cells === 'number' ? cells : cells[index]!;
}

describe('the cells of a cohort', () => {
  test('come back by stream, in any stretch of ticks, also after slabs were released', () => {
    const kinds = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(kinds, fc.nat(), fc.nat(), fc.nat(), (runs, a, b, releasedCount) => {
        const cells = new CohortCells(STREAM_COUNT);
        let pushed: Cells[] = [];
        // Runs of ticks, uniform and not, in turn.
        for (const [run, count] of runs.entries()) {
          for (let i = 0; i < count; i++) pushed.push(cellsOf(pushed.length, run % 2 === 0));
        }
        for (const tick of pushed) cells.push(tick);
        const slabCount = Math.floor(pushed.length / SLAB_TICK_COUNT);
        const released = releasedCount % (slabCount + 1);
        cells.release(released);
        pushed = pushed.slice(released * SLAB_TICK_COUNT);
        const [from, to] = [a % (pushed.length + 1), b % (pushed.length + 1)].sort((x, y) => x - y);
        const indexes = [64, 0, 1, 63, STREAM_COUNT - 1];
        const memory = new Float64Array(indexes.length * (to! - from!) + 3);
        const together = cells.columns(indexes, { from: from!, to: to! }, memory);
        for (const [place, index] of indexes.entries()) {
          const wanted = pushed.slice(from, to).map((tick) => cellOf(tick, index));
          expect([...cells.column(index, { from: from!, to: to! })]).toEqual(wanted);
          expect([...together[place]!]).toEqual(wanted);
          for (const [tick, item] of pushed.entries()) {
            expect(cells.cell(index, tick)).toBe(cellOf(item, index));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('are copied, and start anew when all are given back', () => {
    const cells = new CohortCells(2);
    const tick = Float64Array.of(1, 2);
    for (let i = 0; i < SLAB_TICK_COUNT + 3; i++) cells.push(tick);
    tick.fill(9);
    expect(cells.column(1, { from: SLAB_TICK_COUNT - 1, to: SLAB_TICK_COUNT + 2 })).toEqual(
      Float64Array.of(2, 2, 2),
    );
    cells.clear();
    cells.push(tick);
    expect(cells.column(0, { from: 0, to: 1 })).toEqual(Float64Array.of(9));
  });
});
