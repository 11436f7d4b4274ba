import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type LineFormat, parseDatapointLine } from '../../src/cli/input/datapoint-line.ts';
import { BadLine, lineEndAt, lineText } from '../../src/cli/input/lines.ts';
import { PlainLines } from '../../src/cli/input/plain-lines.ts';

const NOW = new Date('2026-03-04T05:06:07Z');
const SYNTAX = { valueType: 'numeric', valueTypeOptions: {} } as const;
const ALL_TIME = { latestMs: -8.64e15, startMs: -8.64e15, endMs: 8.64e15 };

const time = fc.oneof(
  fc
    .date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => `"${date.toISOString().replace(/\.\d+Z/, 'Z')}"`),
  fc.integer({ min: 0, max: 2e12 }).map(String),
  fc.stringMatching(/^"\d\d\d\d-[0-1]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\dZ"$/),
  fc.constantFrom('"now"', '007', '"2026-01-01"', '1.5', '-1', '"2026-01-01T00:00:00.5Z"', ''),
);
const value = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.integer(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.stringMatching(/^-?\d{0,20}\.?\d{0,20}(?:[eE][+-]?\d{1,3})?$/),
  fc.constantFrom(
    'null',
    '-0',
    '-0.0',
    '00',
    '1.',
    '.5',
    '-',
    '+1',
    'nul',
    '1e999',
    '"1"',
    ' 1',
    '',
  ),
);
const lineEnd = fc.constantFrom('\n', '\r\n', ' \n', '');

function lineOf(format: LineFormat, [t, v]: readonly [string, string]): string {
  return format === 'csv' ? `${t.replaceAll('"', '')},${v}` : `{"t":${t},"v":${v}}`;
}

/** What the reader of single lines makes of it, as it will be stored; null for a bad line. */
function reference(format: LineFormat, text: string): readonly [number, number] | null {
  try {
    const line = { lineNumber: 1, text };
    const parsed = parseDatapointLine(line, { format, syntax: SYNTAX, now: NOW });
    const { timestamp, value: number } = parsed;
    return [timestamp.getTime(), (number ?? Number.NaN) as number];
  } catch (error) {
    if (error instanceof BadLine) return null;
    throw error;
  }
}

describe.each(['ndjson', 'csv'] as const)('PlainLines of %s', (format) => {
  test('reads each line as the reader of single lines does, or leaves it to that one', () => {
    const lines = new PlainLines(format);
    let takenCount = 0;
    fc.assert(
      fc.property(time, value, lineEnd, (t, v, end) => {
        const bytes = Buffer.from(lineOf(format, [t, v]) + end);
        const { rowCount, endAt } = lines.read(bytes, 0, ALL_TIME);
        if (rowCount === 0) return;
        takenCount++;
        const text = lineText(bytes, { at: 0, endAt: lineEndAt(bytes, 0) });
        expect(endAt).toBe(bytes.length);
        const row = [lines.timestamps[0], lines.values[0]];
        // By bits: −0 too.
        expect(row).toEqual(reference(format, text));
      }),
      { numRuns: 5000 },
    );
    expect(takenCount).toBeGreaterThan(500);
  });

  test.each([
    ['"2026-01-02T03:04:05Z"', '1.5'],
    ['"2024-02-29T23:59:59Z"', '-0.1'],
    ['1767268801', 'null'],
    ['1767268801000', '123456789012345.5'],
    ['"1969-12-31T23:59:59Z"', '1.7976931348623157e+308'],
    ['"0100-01-01T00:00:00Z"', '5e-324'],
  ])('takes %s with %s', (t, v) => {
    const text = lineOf(format, [t, v]);
    const lines = new PlainLines(format);
    expect(lines.read(Buffer.from(text), 0, ALL_TIME).rowCount).toBe(1);
    expect([lines.timestamps[0], lines.values[0]]).toEqual(reference(format, text));
  });

  test('stops at a line that is out of order, out of bounds, or of another form', () => {
    const of = (...seconds: (number | string)[]): Buffer =>
      Buffer.from(seconds.map((t) => `${lineOf(format, [String(t), '1'])}\n`).join(''));
    const rowCount = (bytes: Buffer, bounds = ALL_TIME): number =>
      new PlainLines(format).read(bytes, 0, bounds).rowCount;
    expect(rowCount(of(10, 10, 11))).toBe(3);
    expect(rowCount(of(10, 11, 10, 12))).toBe(2);
    expect(rowCount(of(10, '"now"', 12))).toBe(1);
    expect(rowCount(of(10), { ...ALL_TIME, latestMs: 11_000 })).toBe(0);
    expect(rowCount(of(10, 11, 12), { ...ALL_TIME, endMs: 12_000 })).toBe(2);
    expect(rowCount(of(10), { ...ALL_TIME, startMs: 10_001 })).toBe(0);
  });

  test('goes on where it stopped', () => {
    const bytes = Buffer.from(
      Array.from({ length: 10_050 }, (_, i) => `${lineOf(format, [String(i), `${i}.5`])}\n`).join(
        '',
      ),
    );
    const lines = new PlainLines(format);
    const first = lines.read(bytes, 0, ALL_TIME);
    const second = lines.read(bytes, first.endAt, ALL_TIME);
    expect([first.rowCount, second.rowCount]).toEqual([10_000, 50]);
    expect([lines.timestamps[49], lines.values[49]]).toEqual([10_049_000, 10_049.5]);
    expect(second.endAt).toBe(bytes.length);
  });
});
