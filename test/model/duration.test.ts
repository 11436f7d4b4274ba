import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { durationOf, durationText } from '../../src/model/duration.ts';

test('durations are read from text', () => {
  expect(durationOf('500ms')).toBe(500);
  expect(durationOf('1h30m')).toBe(5_400_000);
  expect(durationOf('2w')).toBe(14 * 86_400_000);
  expect(durationOf('1y')).toBe(365 * 86_400_000);
  expect(durationOf('1.5d')).toBe(129_600_000);
});

test.each(['', '0s', '30', '-1d', '1 d', '1M', 'forever', 'd'])('%p is no duration', (text) => {
  expect(durationOf(text)).toBeNull();
});

test('what is written is read again', () => {
  expect(durationText(30 * 86_400_000)).toBe('30d');
  expect(durationText(36 * 3_600_000)).toBe('1d12h');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e13 }), (durationMs) => {
      expect(durationOf(durationText(durationMs))).toBe(durationMs);
    }),
  );
});
