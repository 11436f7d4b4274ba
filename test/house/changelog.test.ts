import { describe, expect, test } from '@jest/globals';
import { read } from './source-files.ts';

const ENTRY = /^- \[(CHANGE|FEATURE|ENHANCEMENT|PERF|BUGFIX|SECURITY)\] [A-Z][\w &-]*: .+\.$/;

describe('the changelog', () => {
  test('has entries of the form "[TYPE] Area: sentence."', () => {
    const entries = read('CHANGELOG.md')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.filter((line) => !ENTRY.test(line))).toEqual([]);
  });
});
