import { describe, expect, test } from '@jest/globals';
import {
  expandValueDownsamplers,
  TIME_DOWNSAMPLER_NAMES,
  TIME_DOWNSAMPLERS,
  VALUE_DOWNSAMPLERS,
} from '../../src/downsamplers/registry.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../src/model/value-letters.ts';

const unsupported = expect.objectContaining({ code: 'UNSUPPORTED_DOWNSAMPLER' });

describe('expandValueDownsamplers()', () => {
  test('adds what the named ones require, in the order of the registry', () => {
    expect(expandValueDownsamplers(['min'], 'numeric')).toEqual(['min', 'count']);
    expect(expandValueDownsamplers(['mean'], 'numeric')).toEqual(['mean', 'sum', 'count']);
    expect(expandValueDownsamplers(['std_dev', 'std_dev'], 'numeric')).toEqual([
      'sum',
      'sum_squares',
      'std_dev',
      'count',
    ]);
    expect(expandValueDownsamplers(['frequencies'], 'nominal')).toEqual(['count', 'frequencies']);
    expect(expandValueDownsamplers([], 'graph')).toEqual([]);
  });

  test('lists percentiles behind all others, in order', () => {
    const names = ['percentile_99.9', 'percentile_5', 'first', 'percentile_50', 'percentile_99.9'];
    expect(expandValueDownsamplers(names, 'numeric')).toEqual([
      'count',
      'first',
      'percentile_5',
      'percentile_50',
      'percentile_99.9',
    ]);
  });

  test('refuses percentages that are none, or have two spellings', () => {
    for (const text of ['', '-1', '100.1', '050', '99.90', '1e1', ' 5', '5 ', 'NaN', '0x5', '.5']) {
      expect(() => expandValueDownsamplers([`percentile_${text}`], 'numeric')).toThrow(unsupported);
    }
    expect(expandValueDownsamplers(['percentile_0', 'percentile_100'], 'numeric')).toHaveLength(3);
    expect(() => expandValueDownsamplers(['percentile_50'], 'nominal')).toThrow(unsupported);
  });

  test('is idempotent', () => {
    const once = expandValueDownsamplers(['median', 'mean'], 'numeric');
    expect(expandValueDownsamplers(once, 'numeric')).toEqual(once);
  });

  test('refuses unknown names and those for other value types', () => {
    expect(() => expandValueDownsamplers(['average'], 'numeric')).toThrow(unsupported);
    expect(() => expandValueDownsamplers(['toString'], 'numeric')).toThrow(unsupported);
    expect(() => expandValueDownsamplers(['mean'], 'nominal')).toThrow(unsupported);
    expect(() => expandValueDownsamplers(['most_often'], 'numeric')).toThrow(unsupported);
    expect(() => expandValueDownsamplers(['frequencies'], 'graph')).toThrow(unsupported);
  });
});

describe('the registry', () => {
  test('has the names and letters that are data', () => {
    expect(VALUE_DOWNSAMPLERS.map(({ name, letter }) => `${name} ${letter}`)).toEqual([
      'mean m',
      'sum s',
      'min l',
      'max u',
      'sum_squares q',
      'std_dev d',
      'count c',
      'median n',
      'most_often o',
      'least_often r',
      'frequencies f',
      'first a',
      'last z',
      'range g',
      'variance v',
      'rate_of_change k',
      'distinct h',
      'integral i',
      'time_weighted_mean w',
      'coverage e',
    ]);
    expect(TIME_DOWNSAMPLERS.map(({ name, letter }) => `${name} ${letter}`)).toEqual([
      'mean m',
      'first a',
      'last z',
      'intervals_mean i',
      'intervals_min l',
      'intervals_max u',
      'intervals_sum_squares q',
      'intervals_std_dev d',
    ]);
    expect(TIME_DOWNSAMPLER_NAMES).toHaveLength(TIME_DOWNSAMPLERS.length);
  });

  test('agrees with the letters that the model knows', () => {
    expect(VALUE_DOWNSAMPLERS.map(({ name, letter }) => [name, letter])).toEqual(
      Object.entries(VALUE_DOWNSAMPLER_LETTERS),
    );
  });
});
