import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  DISTINCT_EXACT_COUNT_MAX,
  DISTINCT_STANDARD_ERROR,
  DistinctCounter,
  type DistinctState,
  distinctCount,
} from '../../src/downsamplers/distinct-state.ts';
import { Granularity } from '../../src/model/granularity.ts';
import {
  blockOf,
  finishAll,
  finishOne,
  foldRaw,
  foldStates,
  schemaOf,
  secondly,
} from './support.ts';

function stateOf(values: readonly unknown[]): DistinctState {
  const counter = new DistinctCounter();
  for (const value of values) counter.add(value);
  return counter.state();
}

function numbersFrom(start: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

/** A stored state, as it is read again. */
function stored(state: DistinctState): DistinctState {
  return JSON.parse(JSON.stringify(state));
}

describe('distinct', () => {
  test('is exact up to the border, and small', () => {
    for (const count of [0, 1, 2, 100, DISTINCT_EXACT_COUNT_MAX]) {
      const values = numbersFrom(0, count);
      const state = stateOf([...values, ...values]);
      expect(distinctCount(state)).toBe(count);
      expect(JSON.stringify(state)).toHaveLength('{"x":""}'.length + 9 * count);
    }
    expect(JSON.stringify(stateOf(numbersFrom(0, 1e5)))).toHaveLength('{"r":""}'.length + 4096);
  });

  test('tells JSON values apart by their content, and numbers but for the sign of 0', () => {
    expect(distinctCount(stateOf([0, -0, 1, 0.5]))).toBe(3);
    const values = ['1', 1, true, null, { a: 1, b: 2 }, { b: 2, a: 1 }, [1], [2], '', 'é', 'e'];
    expect(distinctCount(stateOf(values))).toBe(10);
  });

  test('has a stored form that stays', () => {
    expect(stateOf([1, 'x', 2.5])).toEqual({ x: GOLDEN_HASHES });
  });

  test('depends on the set of values alone, however it was merged', () => {
    const piece = fc
      .tuple(fc.nat(1000), fc.integer({ min: 0, max: 300 }))
      .map(([start, count]) => numbersFrom(start, count));
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const states = pieces.map(stateOf);
        const forward = new DistinctCounter();
        for (const state of states) forward.merge(stored(state));
        const half = Math.floor(pieces.length / 2);
        const left = new DistinctCounter();
        for (const state of states.slice(0, half)) left.merge(state);
        const right = new DistinctCounter();
        for (const state of states.slice(half).toReversed()) right.merge(state);
        right.merge(left.state());
        const direct = stateOf(pieces.flat());
        expect(forward.state()).toEqual(direct);
        expect(right.state()).toEqual(direct);
        const count = new Set(pieces.flat()).size;
        if (count <= DISTINCT_EXACT_COUNT_MAX) expect(distinctCount(direct)).toBe(count);
      }),
      { numRuns: 40 },
    );
  });

  test('beyond the border has the stated standard error', () => {
    for (const count of [401, 1000, 3000, 10_000, 30_000, 100_000]) {
      const rounds = Math.ceil(40_000 / (count + 1500));
      const errors = numbersFrom(0, rounds).map(
        (round) => distinctCount(stateOf(numbersFrom(round * 1e7 + 0.5, count))) / count - 1,
      );
      const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / rounds);
      expect(deviation).toBeLessThan(DISTINCT_STANDARD_ERROR * (rounds > 5 ? 1.7 : 3));
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(DISTINCT_STANDARD_ERROR * 4);
    }
  });

  test('goes through levels of numeric and of nominal streams', () => {
    const points = secondly(numbersFrom(0, 900).map((n) => n % 450));
    for (const valueType of ['numeric', 'nominal'] as const) {
      const schema = schemaOf(['distinct'], { valueType });
      const tens = foldRaw(schema, Granularity.Seconds10, [
        blockOf(points, { isJson: valueType === 'nominal' }),
      ]);
      expect(finishAll(schema, Granularity.Seconds10, tens)[0]!.v).toEqual({ c: 10, h: 10 });
      const hours = foldStates(schema, Granularity.Hours, [tens]);
      const direct = finishOne(schema, Granularity.Hours, points);
      expect(finishAll(schema, Granularity.Hours, hours)[0]!.v).toEqual(direct.v);
      expect(Math.abs((direct.v['h'] as number) - 450)).toBeLessThan(
        450 * 3 * DISTINCT_STANDARD_ERROR,
      );
    }
  });
});

/** What another version must read. */
const GOLDEN_HASHES = 'EkGpxUglLHV782uWfFaKTml33P7';
