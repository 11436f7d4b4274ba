import fc from 'fast-check';
import { aggregateStep } from './aggregate-steps.ts';
import { downsamplersStep, redefineStep } from './change-step.ts';
import type { Step } from './history.ts';
import { retainStep } from './retain-step.ts';
import { TIME_OPERATORS } from './time-operators.ts';

const number = fc.integer({ min: -400, max: 400 }).map((n) => n / 4);
const pick = fc.nat({ max: 2 });
const back = fc.integer({ min: 0, max: 90 });

const maintain: Step = { kind: 'maintain', what: 'both', until: 10_000_000 };

const deriveStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('derive' as const),
  op: fc.constantFrom(
    'sum' as const,
    'derivative' as const,
    'difference' as const,
    'rate' as const,
    ...TIME_OPERATORS,
    ...TIME_OPERATORS,
  ),
  picks: fc.array(pick, { minLength: 1, maxLength: 2 }),
  isCoarse: fc.boolean(),
  isBackprocessed: fc.constant(true),
  hasMax: fc.boolean(),
});

const tick: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('tick' as const),
  gap: fc.integer({ min: 1, max: 17 }),
  values: fc.array(number, { minLength: 3, maxLength: 3 }),
});
const ticks: fc.Arbitrary<Step[]> = fc.array(tick, { minLength: 20, maxLength: 60 });

const correction: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('late' as const), stream: pick, back, value: number }),
  fc.record({
    kind: fc.constant('upsert' as const),
    rows: fc.array(fc.tuple(pick, back, number), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('replace' as const),
    stream: pick,
    back,
    seconds: fc.integer({ min: 1, max: 40 }),
    rows: fc.array(fc.tuple(fc.nat({ max: 30 }), number), { maxLength: 3 }),
  }),
);

/** Streams that tick together, and what derives from them; then rows expire, and what is kept is corrected. */
export const retentionHistory: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(deriveStep, { minLength: 1, maxLength: 3 }),
    ticks,
    fc.tuple(retainStep, fc.integer({ min: 5, max: 200 })),
    fc.array(correction, { minLength: 1, maxLength: 6 }),
  )
  .map(([derived, data, [retain, kept], corrections]) => [
    ...derived,
    ...data,
    maintain,
    { ...retain, stream: retain.stream % 3, back: kept },
    ...corrections,
  ]);

/** Rows of a stream without levels of a calendar, or of one that derives from others, expire. */
const expire: fc.Arbitrary<Step> = fc
  .tuple(retainStep, fc.constantFrom(0, 2, 5, 6, 7), fc.integer({ min: 5, max: 200 }))
  .map(([step, stream, kept]) => ({ ...step, stream, back: kept }));

const change: fc.Arbitrary<Step> = fc
  .tuple(downsamplersStep, fc.constantFrom(0, 2, 5, 6))
  .map(([step, stream]) => ({ ...step, stream }));

const anything: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: expire },
  { weight: 6, arbitrary: correction },
  { weight: 3, arbitrary: tick },
  { weight: 2, arbitrary: deriveStep },
  { weight: 2, arbitrary: redefineStep },
  { weight: 2, arbitrary: aggregateStep },
  { weight: 3, arbitrary: change },
  { weight: 2, arbitrary: fc.constant(maintain) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>({ kind: 'switch' }, { kind: 'reopen' }),
  },
);

/** As `retentionHistory`; rows expire again and again, also of derived streams, and definitions change in between. */
export const expiringHistory: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(
      fc.oneof({ weight: 4, arbitrary: deriveStep }, { weight: 1, arbitrary: aggregateStep }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    fc.array(change, { maxLength: 3 }),
    ticks,
    expire,
    fc.array(anything, { minLength: 3, maxLength: 15 }),
  )
  .map(([derived, changes, data, first, others]) => [
    ...derived,
    ...changes,
    ...data,
    maintain,
    first,
    ...others,
  ]);
