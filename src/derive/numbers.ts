import { Decimal } from 'decimal.js';

import { assert } from '../model/assert.ts';
import type { Arithmetic, Num } from './arithmetic.ts';
import type { Input, NumberSink, Sink } from './operator.ts';

/** Reads the value of an input from a numeric source; null for no data. */
export function numberOf({ value }: Input): Num | null {
  if (value === null) return null;
  const isNumber = typeof value === 'number' ? !Number.isNaN(value) : Decimal.isDecimal(value);
  assert(isNumber, 'a value of a numeric source is a number or null');
  return value as Num;
}

/**
 * Emits a result, or warns when it went beyond the largest float: an infinity would turn into "no
 * data" in the next operator that subtracts it, and live and replayed outputs could then differ.
 */
export function emitNumber(
  sink: Sink,
  output: { readonly operator: string; readonly timestampMs: number; readonly value: Num },
): void {
  const { operator, timestampMs, value } = output;
  const isStorable = typeof value === 'number' ? Number.isFinite(value) : value.isFinite();
  if (isStorable) sink.emit({ timestampMs, value });
  else sink.warn(`${operator}: the result at ${instant(timestampMs)} is too large for a number.`);
}

/** Emits an increase per second of elapsed time, which must not be zero. */
export function emitRate(
  sink: Sink,
  rate: {
    readonly operator: string;
    readonly arithmetic: Arithmetic<Num>;
    readonly previousMs: number;
    readonly timestampMs: number;
    readonly increase: Num;
  },
): void {
  const { operator, arithmetic, previousMs, timestampMs, increase } = rate;
  const elapsedMs = timestampMs - previousMs;
  assert(elapsedMs > 0, 'a rate is taken over time that passed');
  const value = arithmetic.divide(increase, arithmetic.of(elapsedMs / 1000));
  emitNumber(sink, { operator, timestampMs, value });
}

/** As `emitNumber`, of a float that is not NaN. */
export function emitFloat(
  sink: NumberSink,
  { operator, timestampMs, value }: { operator: string; timestampMs: number; value: number },
): void {
  if (Number.isFinite(value)) sink.emitFloat(timestampMs, value);
  else emitNumber(sink, { operator, timestampMs, value });
}

/** As `emitRate`, of an increase in float64; warns where no time passed. */
export function emitFloatRate(
  sink: NumberSink,
  rate: {
    readonly operator: string;
    readonly previousMs: number;
    readonly timestampMs: number;
    readonly increase: number;
  },
): void {
  const { operator, previousMs, timestampMs, increase } = rate;
  if (timestampMs === previousMs) warnZeroElapsed(sink, operator, timestampMs);
  else {
    const value = increase / ((timestampMs - previousMs) / 1000);
    emitFloat(sink, { operator, timestampMs, value });
  }
}

/** Warns that two values at one instant have no rate. */
export function warnZeroElapsed(sink: Sink, operator: string, timestampMs: number): void {
  sink.warn(
    `${operator}: two values at ${instant(timestampMs)} have no time between them, so no rate.`,
  );
}

/** ISO 8601 text of an instant, for messages. */
export function instant(timestampMs: number): string {
  return new Date(timestampMs).toISOString();
}
