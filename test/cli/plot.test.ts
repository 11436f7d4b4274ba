import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { timeAxis, valueLabels } from '../../src/cli/plot/axes.ts';
import { columnValues } from '../../src/cli/plot/columns.ts';
import { plotText } from '../../src/cli/plot/plot.ts';
import { sparkline } from '../../src/cli/plot/sparkline.ts';
import { Thinner } from '../../src/cli/plot/thinner.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);
const PLAIN = { title: 'rx', unit: 'B/s', width: 50, height: 9, hasColor: false };

function ramp(values: readonly number[]): { timeMs: number; value: number }[] {
  return values.map((value, i) => ({ timeMs: START_MS + i * 1000, value }));
}

describe('plotText()', () => {
  test('draws one series with its axes', () => {
    const points = ramp([0, 1000, 2000, 3000, 4000, 3000, 2000, 1000, 0]);
    expect(`\n${plotText([{ name: 'value', thinning: 'mean', points }], PLAIN)}`).toBe(`
rx [kB/s]  2026-01-01T12:00:00Z – 2026-01-01T12:00:08Z
4.0 ┤                   ╭─────╮
3.0 ┤             ╭─────╯     ╰────╮
2.0 ┤        ╭────╯                ╰─────╮
1.0 ┤  ╭─────╯                           ╰────╮
0.0 ┤──╯                                      ╰───
    └┬──────────┬──────────┬──────────┬──────────┬
     12:00:00   12:00:02   12:00:04   12:00:06`);
  });

  test('draws several series with a legend, and leaves a gap where data is missing', () => {
    const points = ramp(Array.from({ length: 21 }, (_, i) => i * 1000)).filter(
      (_, i) => i < 8 || i > 15,
    );
    const above = points.map(({ timeMs, value }) => ({ timeMs, value: value + 10_000 }));
    const text = plotText(
      [
        { name: 'mean', thinning: 'mean', points },
        { name: 'max', thinning: 'max', points: above },
      ],
      PLAIN,
    );
    expect(`\n${text}`).toBe(`
rx [kB/s]  2026-01-01T12:00:00Z – 2026-01-01T12:00:20Z
30.0 ┤                                  ╭┈┈┈┈┈┈┈┈┈
22.5 ┤                                  ╯     ╭───
15.0 ┤  ╭┈┈┈┈┈┈┈┈┈┈┈┈┈                  ──────╯
 7.5 ┤┈┈╯     ╭───────
 0.0 ┤────────╯
     └┬──────────┬──────────┬─────────┬──────────┬
      12:00:00   12:00:05   12:00:10  12:00:15
      ── mean   ┈┈ max`);
  });

  test('a flat series is a line in the middle', () => {
    const points = ramp([5, 5, 5]);
    const rows = plotText([{ name: 'value', thinning: 'mean', points }], PLAIN).split('\n');
    expect(rows.filter((row) => row.includes('──────────┤') || /┤─+$/.test(row))).toHaveLength(1);
  });

  test('one datapoint, and none, can be drawn too', () => {
    const one = plotText([{ name: 'value', thinning: 'mean', points: ramp([5]) }], PLAIN);
    expect(one).toContain('•');
    expect(plotText([{ name: 'value', thinning: 'mean', points: [] }], PLAIN)).toBe(
      'rx: no values to draw',
    );
  });

  test('no line is wider than asked for, whatever the values are', () => {
    const value = fc.double({ noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
        const lines = plotText([{ name: 'v', thinning: 'mean', points: ramp(values) }], {
          ...PLAIN,
          title: '',
        }).split('\n');
        expect(lines.slice(1).every((line) => [...line].length <= PLAIN.width)).toBe(true);
        expect(lines.join('\n')).not.toMatch(/NaN|Infinity|undefined/);
      }),
    );
  });

  test('values at both ends of the range of doubles can be drawn', () => {
    const points = ramp([-Number.MAX_VALUE, 0, Number.MAX_VALUE]);
    expect(`\n${plotText([{ name: 'value', thinning: 'mean', points }], PLAIN)}`).toBe(`
rx [B/s]  2026-01-01T12:00:00Z – 2026-01-01T12:00:02Z
 1.8e308 ┤                                  ╭─────
 9.0e307 ┤                        ╭─────────╯
       0 ┤              ╭─────────╯
-9.0e307 ┤    ╭─────────╯
-1.8e308 ┤────╯
         └┬───────────────────┬──────────────────┬
          12:00:00            12:00:01    12:00:02`);
    expect(sparkline(points.map(({ value }) => value))).toBe('▁▅█');
  });

  test('a point without data is a gap', () => {
    const points = ramp([1, 2, Number.NaN, 2, 1]);
    expect(`\n${plotText([{ name: 'value', thinning: 'mean', points }], PLAIN)}`).toBe(`
rx [B/s]  2026-01-01T12:00:00Z – 2026-01-01T12:00:04Z
2.00 ┤         ╭──                    ─╮
1.75 ┤      ╭──╯                       ╰──╮
1.50 ┤    ╭─╯                             ╰─╮
1.25 ┤ ╭──╯                                 ╰──╮
1.00 ┤─╯                                       ╰──
     └┬──────────┬──────────┬─────────┬──────────┬
      12:00:00   12:00:01   12:00:02  12:00:03`);
  });

  test('nothing but points without data has no values to draw', () => {
    const points = ramp([Number.NaN, Number.NaN]);
    expect(plotText([{ name: 'v', thinning: 'mean', points }], PLAIN)).toBe(
      'rx: no values to draw',
    );
  });

  test('colours are there when they are asked for', () => {
    const series = [{ name: 'value', thinning: 'mean', points: ramp([1, 2]) }] as const;
    expect(plotText(series, { ...PLAIN, hasColor: true })).toContain('\u001b[36m');
    expect(plotText(series, PLAIN)).not.toContain('\u001b[');
  });
});

describe('thinning', () => {
  test('keeps the mean of everything, in bounded memory', () => {
    const thinner = new Thinner({ thinning: 'mean', stepMs: 1000, binCountMax: 16 });
    for (let i = 0; i < 4096; i++) thinner.add(i * 1000, i);
    const points = thinner.points();
    expect(points.length).toBeLessThanOrEqual(16);
    const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
    expect(mean).toBeCloseTo(2047.5, 6);
  });

  test('keeps extremes where they are what the series shows', () => {
    const thinner = new Thinner({ thinning: 'max', stepMs: 1000, binCountMax: 4 });
    for (let i = 1000; i > 0; i--) thinner.add(i * 1000, i === 500 ? 7 : 0);
    const points = thinner.points();
    expect(Math.max(...points.map(({ value }) => value))).toBe(7);
    expect(points.map(({ timeMs }) => timeMs)).toEqual(
      points.map(({ timeMs }) => timeMs).sort((a, b) => a - b),
    );
  });

  test('keeps stretches without data, and joins what is there', () => {
    const thinner = new Thinner({ thinning: 'mean', stepMs: 1000, binCountMax: 4 });
    for (let i = 0; i < 8; i++) thinner.add(i * 1000, [1, 3, 5, NaN, NaN, NaN, NaN, 7][i]!);
    expect(thinner.points().map(({ value }) => value)).toEqual([2, 5, NaN, 7]);
  });

  test('means do not overflow', () => {
    const thinner = new Thinner({ thinning: 'mean', stepMs: 2000, binCountMax: 4 });
    thinner.add(0, Number.MAX_VALUE);
    thinner.add(1000, -Number.MAX_VALUE);
    expect(thinner.points()).toEqual([{ timeMs: 0, value: 0 }]);
  });

  test('columns between points lie on the line between them', () => {
    const values = columnValues(ramp([0, 4]), {
      span: { startMs: START_MS, endMs: START_MS + 1000 },
      columnCount: 5,
      thinning: 'mean',
    });
    expect([...values]).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('axes', () => {
  test('value labels share a prefix and differ', () => {
    const { labels, unit } = valueLabels({ min: 1000, max: 1002, rowCount: 5, unit: 'B/s' });
    expect(unit).toBe('kB/s');
    expect(labels).toEqual(['1.00200', '1.00150', '1.00100', '1.00050', '1.00000']);
  });

  test.each([
    [0, 1e300, ['1.0e300', '7.5e299', '5.0e299', '2.5e299', '0']],
    [2 ** 128, 2 ** 129, ['6.8e38', '6.0e38', '5.1e38', '4.3e38', '3.4e38']],
    [0, 4e-9, ['4.0e-9', '3.0e-9', '2.0e-9', '1.0e-9', '0']],
    [0, 4e17, ['400', '300', '200', '100', '0']],
    [-Number.MAX_VALUE, Number.MAX_VALUE, ['1.8e308', '9.0e307', '0', '-9.0e307', '-1.8e308']],
  ])('labels from %d to %d are short', (min, max, expected) => {
    const { labels, unit } = valueLabels({ min, max, rowCount: 5, unit: 'B/s' });
    expect(labels.map((label) => label.trim())).toEqual(expected);
    expect(unit).toBe(max === 4e17 ? 'PB/s' : 'B/s');
  });

  test.each([
    [3000, '1970 1971 1972 1973 1974 1975 1976 1977 1978'],
    [365_000, '2000 2200 2400 2600 2800'],
    [10_000_000, '5000 10000 15000 20000 25000'],
  ])('a span of %d days has years, and few of them', (dayCount, years) => {
    const span = { startMs: 0, endMs: dayCount * 86_400_000 };
    const [axis, labels] = timeAxis(span, 60);
    expect(labels.trim().split(/ +/).join(' ')).toBe(years);
    expect(axis.split('┬').length - 1).toBeLessThan(10);
  });

  test('years before our era and all of time have labels', () => {
    const span = { startMs: -8.64e15, endMs: 8.64e15 };
    const [axis, labels] = timeAxis(span, 60);
    expect(labels.trim().split(/ +/)).toEqual(['-200000', '-100000', '0', '100000', '200000']);
    expect(axis.split('┬').length - 1).toBeLessThan(10);
  });

  test.each([
    [30, '12:00:00     12:00:10      12:00:20'],
    [7200, '12:00     12:30     13:00     13:30'],
    [86_400 * 3, '2026-01-02   2026-01-03'],
  ])('a span of %d s has round times', (lengthSeconds, start) => {
    const span = { startMs: START_MS, endMs: START_MS + lengthSeconds * 1000 };
    expect(timeAxis(span, 41)[1].trim()).toContain(start);
  });
});

test('a sparkline runs from the lowest to the highest value', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([3, null, 3])).toBe('▁ ▁');
  expect(sparkline([])).toBe('');
});
