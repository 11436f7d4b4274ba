import { describe, expect, test } from '@jest/globals';
import {
  initialView,
  isLongerThanHistory,
  keepNear,
  panBy,
  type TimeView,
  viewOfQuery,
  viewQuery,
  widened,
  windowOfView,
  zoomBy,
} from '../../web/src/time/time-window.ts';
import { DAY_MS, HOUR_MS } from '../../web/src/time/units.ts';

const NOW_MS = Date.parse('2026-03-10T12:00:00Z');
const LIVE = { earliestMs: NOW_MS - 100 * DAY_MS, latestMs: NOW_MS - 1000, nowMs: NOW_MS };

describe('windows of time', () => {
  test('of a preset end now', () => {
    const window = windowOfView({ kind: 'latest', spanMs: DAY_MS }, LIVE);
    expect(window.endMs - window.startMs).toBe(DAY_MS);
    expect(window.endMs).toBeGreaterThanOrEqual(NOW_MS);
    expect(window.endMs).toBeLessThan(NOW_MS + HOUR_MS);
  });

  test('of a preset end with a history that ended long ago', () => {
    const latestMs = NOW_MS - 30 * DAY_MS;
    const window = windowOfView({ kind: 'latest', spanMs: DAY_MS }, { ...LIVE, latestMs });
    expect(window.startMs).toBeLessThan(latestMs);
    expect(window.endMs).toBeGreaterThanOrEqual(latestMs);
    expect(window.endMs).toBeLessThan(latestMs + HOUR_MS);
  });

  test('of everything hold the whole history, or something without one', () => {
    const all = windowOfView({ kind: 'all' }, LIVE);
    expect(all.startMs).toBeLessThan(LIVE.earliestMs);
    expect(all.endMs).toBeGreaterThan(LIVE.latestMs);
    const none = windowOfView({ kind: 'all' }, { earliestMs: null, latestMs: null, nowMs: NOW_MS });
    expect(none.endMs).toBeGreaterThan(none.startMs);
    const one = windowOfView({ kind: 'all' }, { earliestMs: 5, latestMs: 5, nowMs: NOW_MS });
    expect(one.endMs).toBeGreaterThan(one.startMs);
  });

  test('begin with the last day, or with all that there is', () => {
    expect(initialView(LIVE)).toEqual({ kind: 'latest', spanMs: DAY_MS });
    expect(initialView({ ...LIVE, earliestMs: LIVE.latestMs - HOUR_MS })).toEqual({ kind: 'all' });
    expect(initialView({ earliestMs: null, latestMs: null })).toEqual({ kind: 'all' });
  });

  test('are longer than a history that ends before them, and than none', () => {
    const history = { earliestMs: 0, latestMs: DAY_MS };
    expect([HOUR_MS, DAY_MS, DAY_MS + 1].map((ms) => isLongerThanHistory(ms, history))).toEqual([
      false,
      false,
      true,
    ]);
    expect(isLongerThanHistory(1, { earliestMs: null, latestMs: null })).toBe(true);
  });

  test('zoom around an instant that stays where it is', () => {
    const window = { startMs: 0, endMs: 1000_000 };
    expect(zoomBy(window, { factor: 0.5, anchorMs: 250_000 })).toEqual({
      startMs: 125_000,
      endMs: 625_000,
    });
    const there = zoomBy(zoomBy(window, { factor: 3 }), { factor: 1 / 3 });
    expect(there.startMs).toBeCloseTo(0, 3);
    expect(there.endMs).toBeCloseTo(1000_000, 3);
  });

  test('do not become shorter or longer than can be seen', () => {
    let window = { startMs: 0, endMs: HOUR_MS };
    for (let count = 0; count < 100; count++) window = zoomBy(window, { factor: 0.5 });
    expect(window.endMs - window.startMs).toBeCloseTo(100, 6);
    for (let count = 0; count < 200; count++) window = zoomBy(window, { factor: 2 });
    expect(Number.isNaN(new Date(window.startMs).getTime())).toBe(false);
  });

  test('pan by a part, and do not get lost beside the history', () => {
    const window = { startMs: NOW_MS - DAY_MS, endMs: NOW_MS };
    expect(panBy(window, -0.5).startMs).toBe(window.startMs - DAY_MS / 2);
    const lost = keepNear(panBy(window, -1000), LIVE);
    expect(lost).toEqual({ startMs: LIVE.earliestMs - DAY_MS, endMs: LIVE.earliestMs });
    expect(keepNear(window, LIVE)).toBe(window);
    expect(widened(window).endMs).toBe(NOW_MS + DAY_MS / 10);
  });

  test('go into addresses and back', () => {
    const views: readonly TimeView[] = [
      { kind: 'all' },
      { kind: 'latest', spanMs: DAY_MS },
      { kind: 'latest', spanMs: 12_345 },
      { kind: 'fixed', window: { startMs: -5000, endMs: 7000 } },
    ];
    for (const view of views) expect(viewOfQuery(viewQuery(view))).toEqual(view);
    expect(viewQuery({ kind: 'latest', spanMs: DAY_MS })).toEqual({ window: 'day' });
    expect(viewOfQuery({ start: '9', end: '3' })).toBeNull();
    expect(viewOfQuery({ window: 'soon' })).toBeNull();
    expect(viewOfQuery({})).toBeNull();
  });
});
