import { describe, expect, test } from '@jest/globals';
import { NO_ROW } from '../../../src/backends/backend.ts';
import { pendingRows } from '../../../src/backends/embedded/pending-rows.ts';
import { View } from '../../../src/backends/embedded/view.ts';
import type { Block } from '../../../src/model/block.ts';
import { rowsOf } from './fixtures.ts';

const ORDINALS = Uint32Array.from({ length: 70 }, (_, i) => i * 2);

function tick(view: View, timestampMs: number, gap: number | null = null): void {
  const values = Float64Array.from(ORDINALS, (ordinal, i) =>
    i === gap ? NO_ROW : ordinal * 1000 + timestampMs,
  );
  view.tick(timestampMs, { level: 0, timestampMs, ordinals: ORDINALS.slice(), values });
}

function places(view: View) {
  return view.unsealedPlaces().map(({ ordinal }) => ordinal);
}

function rowsAt(view: View, ordinal: number): number[] {
  const [pending] = pendingRows(view, [{ ordinal, level: 0 }]);
  return (pending?.pieces ?? []).flatMap((piece) =>
    rowsOf(piece as Block).map(([, value]) => (value as number) - ordinal * 1000),
  );
}

describe('a cohort', () => {
  test('has the rows of each stream, without its gaps, for many streams at once and for one', () => {
    const view = new View(0);
    for (let t = 1; t <= 600; t++) tick(view, t, t % 100 === 7 ? 3 : null);
    const versions = [...ORDINALS].map((ordinal) => view.state(ordinal).version);
    expect(new Set(versions)).toEqual(new Set([600]));
    const all = [...pendingRows(view, view.unsealedPlaces())];
    expect(all).toHaveLength(ORDINALS.length);
    for (const [i, { place, pieces }] of all.entries()) {
      const wanted = Array.from({ length: 600 }, (_, k) => k + 1).filter(
        (t) => i !== 3 || t % 100 !== 7,
      );
      expect(pieces).toHaveLength(1);
      const values = rowsOf(pieces[0] as Block).map(([t, v]) => [t, v]);
      expect(values).toEqual(wanted.map((t) => [t, place.ordinal * 1000 + t]));
      expect(rowsAt(view, place.ordinal)).toEqual(wanted);
    }
  });

  test('notes the version of each stream from the first tick on, but in a gap', () => {
    const view = new View(0);
    tick(view, 1, 5);
    for (const [i, ordinal] of ORDINALS.entries()) {
      expect(view.state(ordinal).version).toBe(i === 5 ? 0 : 1);
    }
  });

  test('goes on without a stream that was sealed, got other rows, or is gone', () => {
    const view = new View(0);
    const cohort = () => view.tickCohort({ level: 0, ordinals: ORDINALS });
    for (let t = 1; t <= 3; t++) tick(view, t);
    const formed = cohort();
    expect(formed?.memberCount).toBe(ORDINALS.length);
    view.apply(4, { kind: 'sealed', places: [{ ordinal: 2, level: 0 }] });
    const block = { timestamps: Float64Array.of(4), columns: { v: Float64Array.of(4004) } };
    view.apply(5, { kind: 'rows', place: { ordinal: 4, level: 0 }, block });
    expect(formed?.memberCount).toBe(ORDINALS.length - 1);
    tick(view, 6);
    expect(cohort()).toBe(formed);
    expect(formed?.memberCount).toBe(ORDINALS.length);
    expect(rowsAt(view, 0)).toEqual([1, 2, 3, 6]);
    expect(rowsAt(view, 2)).toEqual([6]);
    expect(rowsAt(view, 4)).toEqual([1, 2, 3, 4, 6]);
    view.apply(7, { kind: 'deleted', ordinals: [0] });
    expect(rowsAt(view, 0)).toEqual([]);
    expect(rowsAt(view, 2)).toEqual([6]);
  });

  test('gives its ticks back when every stream is sealed', () => {
    const view = new View(0);
    for (let t = 1; t <= 5; t++) tick(view, t);
    const cohort = view.tickCohort({ level: 0, ordinals: ORDINALS });
    const [first, ...others] = view.unsealedPlaces();
    view.apply(6, { kind: 'sealed', places: others });
    expect(cohort?.tickCount).toBe(5);
    expect(places(view)).toEqual([first!.ordinal]);
    view.apply(7, { kind: 'sealed', places: [first!] });
    expect(cohort?.tickCount).toBe(0);
    expect(view.isSealed).toBe(true);
    tick(view, 8);
    expect(rowsAt(view, 4)).toEqual([8]);
  });
});
