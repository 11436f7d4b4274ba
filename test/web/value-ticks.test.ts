import { describe, expect, test } from '@jest/globals';
import { axisRange } from '../../web/src/chart/axis-range.ts';
import { plotModel } from '../../web/src/chart/plot-model.ts';
import { tickStep, valueTicks } from '../../web/src/chart/value-ticks.ts';
import { tickLabels } from '../../web/src/format/tick-labels.ts';

/** Texts at an axis between two values. */
function labels(low: number, high: number, unit = '', countMax = 5): readonly string[] {
  const step = tickStep(low, high, countMax);
  return tickLabels(valueTicks(low, high, step), { step, unit });
}

describe('ticks of an axis of values', () => {
  test('are multiples of a round step, within the ends', () => {
    expect(valueTicks(-0.3, 0.31, tickStep(-0.3, 0.31, 6))).toEqual([-0.2, 0, 0.2]);
    expect(valueTicks(-0.3, 0.31, 0.1)).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
    expect(valueTicks(13, 99, tickStep(13, 99, 4))).toEqual([25, 50, 75]);
  });

  test.each([
    [0, 1],
    [-1e-12, 1e-12],
    [1e15, 1e15 + 2e12],
    [0, 2e300],
    [-1.7e308, 1.7e308],
    [1e17, 1e17 + 16],
    [5e-324, 1e-323],
  ])('from %p to %p are few, finite and different, and so are their texts', (low, high) => {
    const step = tickStep(low, high, 6);
    const ticks = valueTicks(low, high, step);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(ticks.every(Number.isFinite)).toBe(true);
    expect(new Set(ticks).size).toBe(ticks.length);
    expect(new Set(tickLabels(ticks, { step, unit: '' })).size).toBe(ticks.length);
  });

  test('have one prefix and as many decimals as the step has', () => {
    expect(labels(1e15, 1.002e15, 'B')).toEqual([
      '1.0000 PB',
      '1.0005 PB',
      '1.0010 PB',
      '1.0015 PB',
      '1.0020 PB',
    ]);
    expect(labels(0, 1200, 'W')).toEqual(['0 kW', '0.25 kW', '0.50 kW', '0.75 kW', '1.00 kW']);
    expect(labels(-2e-6, 0)).toEqual(['−2.0e−6', '−1.5e−6', '−1.0e−6', '−5e−7', '0']);
    expect(labels(10_000, 40_000)).toEqual([
      '10\u2009000',
      '20\u2009000',
      '30\u2009000',
      '40\u2009000',
    ]);
  });
});

describe('an axis', () => {
  test('of areas begins at zero, and ends there for negative ones', () => {
    const free = { minimum: null, maximum: null };
    expect(axisRange(200, 600, { ...free, isOfAreas: true })[0]).toBe(0);
    expect(axisRange(-600, -200, { ...free, isOfAreas: true })[1]).toBeGreaterThanOrEqual(0);
    expect(axisRange(200, 600, free)[0]).toBeGreaterThan(100);
  });

  test('of numbers with too many digits is drawn with fewer of them', () => {
    const columns = {
      granularity: 'seconds',
      isRaw: true,
      timestamps: [1, 2],
      letters: { m: [1e300, 2e300] },
    };
    const line = { id: 'a', label: 'a', unit: '', axis: 'x', color: 3, letter: 'm', columns };
    const { axes, joined, own } = plotModel([{ ...line, kind: 'line' }]);
    expect(axes[0]).toMatchObject({ key: 'x', divisor: 1e300, color: 3, isOfAreas: false });
    expect(joined.columns).toEqual([[1, 2]]);
    expect(own.columns).toEqual([[1e300, 2e300]]);
    const stack = plotModel([
      { ...line, kind: 'stack' },
      { ...line, id: 'b', kind: 'stack' },
    ]);
    expect(stack.axes[0]).toMatchObject({ isOfAreas: true, color: null });
  });
});
