import { describe, expect, test } from '@jest/globals';
import { Granularity, lowerGranularities } from '../../src/model/granularity.ts';
import { ladderOf } from '../../src/model/ladder.ts';

describe('the ladder of a stream', () => {
  test('has every granularity lower than the highest, each computed from the one before it', () => {
    for (const raw of Granularity.values) {
      const ladder = ladderOf({ highestGranularity: raw.name });
      const levels = lowerGranularities(raw.name);
      expect(ladder.raw).toBe(raw);
      expect(ladder.levels).toEqual(levels);
      expect(ladder.isChain).toBe(true);
      expect(ladder.fromRaw).toEqual(levels.slice(0, 1));
      for (const [index, { granularity, finer, isFromRaw, coarser }] of ladder.rungs.entries()) {
        expect(granularity).toBe(levels[index]);
        expect(finer).toBe(levels[index - 1] ?? raw);
        expect(isFromRaw).toBe(index === 0);
        expect(coarser).toEqual(levels.slice(index + 1, index + 2));
      }
    }
  });

  test('knows what a level is computed from, from the finest on', () => {
    const ladder = ladderOf({ highestGranularity: 'minutes' });
    const names = ladder.lineage(Granularity.Hours6).map(({ granularity }) => granularity.name);
    expect(names).toEqual(['10minutes', 'hours', '6hours']);
    expect(ladder.has(Granularity.Minutes)).toBe(false);
    expect(ladder.has(Granularity.Days)).toBe(true);
  });
});
