import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type AlertMemory,
  type Limits,
  runState,
  runThreshold,
} from '../../../src/server/alerts/alert-machine.ts';

const FRESH: AlertMemory = { phase: 'ok', sinceMs: 0, value: null, seenMs: null };
const ABOVE: Limits = { isAbove: true, raise: 90, clear: 80, holdMs: 0 };

function run(
  pairs: readonly (readonly [timeMs: number, value: number])[],
  limits: Limits = ABOVE,
  nowMs: number = pairs.at(-1)?.[0] ?? 0,
): string {
  const values = pairs.map(([timeMs, value]) => ({ timeMs, value }));
  const { transitions } = runThreshold(FRESH, { values, nowMs, limits });
  return transitions.map(({ phase, atMs }) => `${phase}@${atMs}`).join(' ');
}

describe('a threshold', () => {
  test('is raised beyond one value, and cleared at another', () => {
    expect(run([[1, 90]])).toBe('');
    expect(
      run([
        [1, 91],
        [2, 85],
        [3, 90.5],
        [4, 81],
      ]),
    ).toBe('firing@1');
    expect(
      run([
        [1, 91],
        [2, 85],
        [3, 80],
        [4, 85],
        [5, 95],
      ]),
    ).toBe('firing@1 resolved@3 firing@5');
  });

  test('may be one to fall below', () => {
    const below: Limits = { isAbove: false, raise: 10, clear: 20, holdMs: 0 };
    expect(
      run(
        [
          [1, 10],
          [2, 9],
          [3, 19],
          [4, 20],
          [5, 11],
        ],
        below,
      ),
    ).toBe('firing@2 resolved@4');
  });

  test('fires when it was passed for long enough, and forgets what was too short', () => {
    const held = { ...ABOVE, holdMs: 100 };
    expect(
      run(
        [
          [0, 95],
          [50, 95],
          [99, 95],
        ],
        held,
      ),
    ).toBe('pending@0');
    expect(
      run(
        [
          [0, 95],
          [50, 89],
          [60, 95],
          [120, 95],
        ],
        held,
      ),
    ).toBe('pending@0 ok@50 pending@60');
    expect(
      run(
        [
          [0, 95],
          [50, 95],
          [100, 95],
        ],
        held,
      ),
    ).toBe('pending@0 firing@100');
  });

  test('fires at its time when nothing new comes, and also where it was cleared before anybody looked', () => {
    const held = { ...ABOVE, holdMs: 100 };
    expect(run([[0, 95]], held, 99)).toBe('pending@0');
    expect(run([[0, 95]], held, 500)).toBe('pending@0 firing@100');
    expect(
      run(
        [
          [0, 95],
          [300, 10],
        ],
        held,
        500,
      ),
    ).toBe('pending@0 firing@100 resolved@300');
  });

  test('comes to the same, however its values are looked at', () => {
    const values = fc.array(fc.constantFrom(70, 80, 85, 90, 91, 99), { maxLength: 30 });
    const cuts = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(values, cuts, fc.constantFrom(0, 3, 10), (given, isCut, holdMs) => {
        const limits = { ...ABOVE, holdMs };
        const all = given.map((value, index) => ({ timeMs: index * 2, value }));
        const nowMs = given.length * 2;
        const whole = runThreshold(FRESH, { values: all, nowMs, limits });
        let memory = FRESH;
        const transitions = [];
        let from = 0;
        for (let to = 1; to <= all.length; to++) {
          if (!isCut[to - 1] && to < all.length) continue;
          const part = all.slice(from, to);
          // Whoever looks does it at some time before the next value.
          const stepped = runThreshold(memory, { values: part, nowMs: (to - 1) * 2 + 1, limits });
          memory = stepped.memory;
          transitions.push(...stepped.transitions);
          from = to;
        }
        const last = runThreshold(memory, { values: [], nowMs, limits });
        expect([...transitions, ...last.transitions]).toEqual(whole.transitions);
        expect(last.memory).toEqual(whole.memory);
      }),
    );
  });
});

test('a state that holds or does not changes once each time', () => {
  const raised = runState(FRESH, { isRaised: true, atMs: 5, seenMs: 1 });
  expect(raised.transitions).toEqual([{ phase: 'firing', atMs: 5, value: null }]);
  expect(runState(raised.memory, { isRaised: true, atMs: 6, seenMs: 1 }).transitions).toEqual([]);
  const over = runState(raised.memory, { isRaised: false, atMs: 7, seenMs: 6 });
  expect(over.transitions).toEqual([{ phase: 'resolved', atMs: 7, value: null }]);
  expect(runState(over.memory, { isRaised: false, atMs: 8, seenMs: 6 }).transitions).toEqual([]);
});
