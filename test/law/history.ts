import fc from 'fast-check';
import { type AggregateStep, aggregateStep } from './aggregate-steps.ts';
import { type ChangeStep, downsamplersStep, redefineStep } from './change-step.ts';
import { type LadderStep, ladderStep } from './ladder-steps.ts';
import { type RetainStep, retainStep } from './retain-step.ts';
import { TIME_OPERATORS, type TimeOperator } from './time-operators.ts';

/** Numbers whose sums and means are exact in float64: quarters, and nulls now and then. */
const number: fc.Arbitrary<number> = fc.integer({ min: -400, max: 400 }).map((n) => n / 4);
const value: fc.Arbitrary<number | null> = fc.option(number, { freq: 6 });

/** Seconds to the next datapoint: mostly few, at times none or hours. */
const gap: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 500, max: 4000 }) },
);
/** As `gap`, for many rows at once: each hour without data is 360 buckets to compare. */
const rowGap: fc.Arbitrary<number> = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 500, max: 4000 }) },
);
const back: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 120 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 5000 }) },
);
const pick: fc.Arbitrary<number> = fc.nat({ max: 11 });

export type Step =
  | {
      readonly kind: 'append';
      readonly stream: number;
      readonly gap: number;
      readonly value: number | null;
    }
  | {
      readonly kind: 'late';
      readonly stream: number;
      readonly back: number;
      readonly value: number | null;
    }
  | {
      readonly kind: 'columns';
      readonly stream: number;
      readonly rows: readonly (readonly [gap: number, value: number | null])[];
    }
  | {
      readonly kind: 'lateColumns';
      readonly stream: number;
      readonly rows: readonly (readonly [back: number, value: number | null])[];
    }
  | { readonly kind: 'tick'; readonly gap: number; readonly values: readonly (number | null)[] }
  | {
      readonly kind: 'multiple';
      readonly rows: readonly (readonly [stream: number, gap: number, value: number | null])[];
    }
  | {
      readonly kind: 'group';
      readonly stream: number;
      readonly gap: number;
      readonly values: readonly number[];
    }
  | {
      readonly kind: 'maintain';
      readonly what: 'downsample' | 'backprocess' | 'both';
      readonly until: number;
    }
  | {
      readonly kind: 'derive';
      readonly op:
        | 'sum'
        | 'derivative'
        | 'counter_reset'
        | 'counter_derivative'
        | 'rate'
        | 'difference'
        | 'clamp'
        | 'expression'
        | TimeOperator;
      readonly picks: readonly number[];
      readonly isCoarse: boolean;
      readonly isBackprocessed: boolean;
      readonly hasMax: boolean;
    }
  | {
      readonly kind: 'together';
      readonly rows: readonly (readonly [back: number, value: number | null])[];
      readonly isMaintained: boolean;
    }
  | {
      readonly kind: 'replace';
      readonly stream: number;
      readonly back: number;
      readonly seconds: number;
      readonly rows: readonly (readonly [offset: number, value: number | null])[];
    }
  | {
      readonly kind: 'upsert';
      readonly rows: readonly (readonly [stream: number, back: number, value: number | null])[];
    }
  | ChangeStep
  | LadderStep
  | AggregateStep
  | RetainStep
  | { readonly kind: 'switch' }
  | { readonly kind: 'reopen' };

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('append' as const), stream: pick, gap, value }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('late' as const), stream: pick, back, value }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('columns' as const),
      stream: pick,
      rows: fc.array(fc.tuple(rowGap, value), { maxLength: 30 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lateColumns' as const),
      stream: pick,
      rows: fc.array(fc.tuple(back, value), { maxLength: 10 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      gap,
      values: fc.array(value, { minLength: 3, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('multiple' as const),
      rows: fc.array(fc.tuple(pick, gap, value), { maxLength: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('group' as const),
      stream: pick,
      gap,
      values: fc.oneof(
        fc.tuple(number),
        fc.tuple(number, number),
        fc.tuple(number, number, number, number),
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('maintain' as const),
      what: fc.constantFrom('downsample' as const, 'backprocess' as const, 'both' as const),
      until: fc.oneof(fc.integer({ min: -100, max: 3000 }), fc.constant(10_000_000)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('derive' as const),
      op: fc.constantFrom(
        'sum' as const,
        'derivative' as const,
        'counter_reset' as const,
        'counter_derivative' as const,
        'rate' as const,
        'difference' as const,
        'clamp' as const,
        'expression' as const,
        ...TIME_OPERATORS,
      ),
      picks: fc.array(pick, { minLength: 1, maxLength: 3 }),
      isCoarse: fc.boolean(),
      isBackprocessed: fc.boolean(),
      hasMax: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('together' as const),
      rows: fc.array(fc.tuple(fc.integer({ min: -40, max: 60 }), value), { maxLength: 5 }),
      isMaintained: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      stream: pick,
      back: fc.integer({ min: -40, max: 300 }),
      seconds: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(100_000)),
      rows: fc.oneof(
        fc.constant([]),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), value), { maxLength: 6 }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('upsert' as const),
      rows: fc.array(fc.tuple(pick, fc.integer({ min: -20, max: 120 }), value), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  { weight: 2, arbitrary: downsamplersStep },
  { weight: 2, arbitrary: redefineStep },
  { weight: 3, arbitrary: ladderStep },
  { weight: 4, arbitrary: aggregateStep },
  { weight: 2, arbitrary: retainStep },
  { weight: 3, arbitrary: fc.constant({ kind: 'switch' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/** What happens to a store, step by step. */
export const history: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 30, size: 'max' });
