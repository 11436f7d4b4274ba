import { describe, expect, test } from '@jest/globals';
import { stateSegments, stateShares } from '../../web/src/chart/state-segments.ts';

const RAW = {
  granularity: 'seconds',
  isRaw: true,
  timestamps: [0, 100, 200, 300],
  letters: { m: ['open', 'closed', 'closed', { code: 3 }] },
};

describe('states over time', () => {
  test('hold until the next one, the last until now, cut at the window', () => {
    expect(stateSegments(RAW, { window: { startMs: 50, endMs: 500 }, untilMs: 400 })).toEqual([
      { startMs: 50, endMs: 100, state: 'open' },
      { startMs: 100, endMs: 300, state: 'closed' },
      { startMs: 300, endMs: 400, state: '{"code":3}' },
    ]);
  });

  test('of buckets hold for these, with what came most often', () => {
    const minutes = {
      granularity: 'minutes',
      isRaw: false,
      timestamps: [0, 120_000],
      letters: { o: ['on', null] },
    };
    const window = { startMs: 0, endMs: 600_000 };
    expect(stateSegments(minutes, { window, untilMs: 600_000 })).toEqual([
      { startMs: 0, endMs: 60_000, state: 'on' },
    ]);
  });

  test('are added up, the longest first', () => {
    const window = { startMs: 0, endMs: 400 };
    expect(stateShares(stateSegments(RAW, { window, untilMs: 400 }))).toEqual([
      { state: 'closed', durationMs: 200, share: 0.5 },
      { state: '{"code":3}', durationMs: 100, share: 0.25 },
      { state: 'open', durationMs: 100, share: 0.25 },
    ]);
    expect(stateShares([])).toEqual([]);
  });
});
