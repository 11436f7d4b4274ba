import fc from 'fast-check';
import { DEFINITIONS, TICK_STREAM_COUNT } from './live-twins.ts';

const number: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, min: -1e9, max: 1e9 }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(-0, 0, 5e-324, 1e308, -1e308, 0.1) },
);
const value: fc.Arbitrary<number | null> = fc.option(number, { freq: 5 });
const gap: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 3, arbitrary: fc.constant(10) },
  { weight: 2, arbitrary: fc.integer({ min: 50, max: 700 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 30_000 }) },
);

export type Step =
  | { readonly kind: 'tick'; readonly plan: number; readonly gaps: number[]; readonly seed: number }
  | {
      readonly kind: 'append';
      readonly stream: number;
      readonly gap: number;
      readonly value: number | null;
    }
  | { readonly kind: 'columns'; readonly stream: number; readonly rows: [number, number | null][] }
  | {
      readonly kind: 'together';
      readonly stream: number;
      readonly gap: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'late';
      readonly stream: number;
      readonly back: number;
      readonly value: number | null;
    }
  | {
      readonly kind: 'lateTick';
      readonly stream: number;
      readonly back: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'foreign';
      readonly stream: number;
      readonly gap: number;
      readonly value: number | null;
    }
  | { readonly kind: 'maintain' }
  | { readonly kind: 'restart' };

const stream: fc.Arbitrary<number> = fc.nat({ max: DEFINITIONS.length - 1 });
const tick = fc.record({
  kind: fc.constant('tick' as const),
  plan: fc.nat({ max: 3 }),
  gaps: fc.array(gap, { minLength: 1, maxLength: 12 }),
  seed: fc.nat(),
});
const append = fc.record({ kind: fc.constant('append' as const), stream, gap, value });
const columns = fc.record({
  kind: fc.constant('columns' as const),
  stream,
  rows: fc.array(fc.tuple(gap, value), { minLength: 1, maxLength: 60 }),
});
const together = fc.record({ kind: fc.constant('together' as const), stream, gap, seed: fc.nat() });
const restart = fc.constant({ kind: 'restart' as const });
/** Steps in order of time. */
export const inOrder: fc.Arbitrary<Step>[] = [
  tick,
  tick,
  tick,
  append,
  append,
  columns,
  together,
  restart,
];
const late = fc.record({
  kind: fc.constant('late' as const),
  stream,
  back: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 9000 })),
  value,
});
const lateTick = fc.record({
  kind: fc.constant('lateTick' as const),
  stream: fc.nat({ max: TICK_STREAM_COUNT - 1 }),
  back: fc.integer({ min: 0, max: 40 }),
  seed: fc.nat(),
});
const foreign = fc.record({ kind: fc.constant('foreign' as const), stream, gap, value });
const maintain = fc.constant({ kind: 'maintain' as const });

/** What comes late, from elsewhere, or from maintenance. */
export const disorder: fc.Arbitrary<Step>[] = [late, late, lateTick, foreign, maintain, maintain];
