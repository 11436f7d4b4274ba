/** The naive computation of the operators whose reach is a time, or all that follows. Times are whole seconds. */
import type { Row } from './bucket.ts';

export const TIME_OPERATORS = [
  'integral',
  'exponential_smoothing',
  'moving_average',
  'time_shift',
] as const;
export type TimeOperator = (typeof TIME_OPERATORS)[number];
type Arguments = Readonly<Record<string, unknown>>;

export function isTimeOperator(op: string): op is TimeOperator {
  return (TIME_OPERATORS as readonly string[]).includes(op);
}

/** One of two sets of arguments. */
export function timeArguments(op: TimeOperator, isFirst: boolean): Arguments {
  switch (op) {
    case 'integral':
      return isFirst ? { max_gap: 100 } : { method: 'held', unit: 60 };
    case 'exponential_smoothing':
      return isFirst ? { time_constant: 60 } : { alpha: 0.25 };
    case 'moving_average':
      return { window: isFirst ? 30 : 1000 };
    case 'time_shift':
      return { offset: isFirst ? 90 : -3600 };
  }
}

/** @param inputs of the one source, in order. */
export function timeOutputs(op: TimeOperator, args: Arguments, inputs: readonly Row[]): Row[] {
  switch (op) {
    case 'integral':
      return integral(inputs, args);
    case 'exponential_smoothing':
      return smoothed(inputs, args);
    case 'moving_average':
      return averages(inputs, args['window'] as number);
    case 'time_shift':
      return inputs.map(({ t, v }) => ({ t: t + (args['offset'] as number), v }));
  }
}

function integral(inputs: readonly Row[], args: Arguments): Row[] {
  const unit = (args['unit'] ?? 1) as number;
  const gap = (args['max_gap'] ?? Number.POSITIVE_INFINITY) as number;
  const isHeld = args['method'] === 'held';
  let total = 0;
  return inputs.map(({ t, v }, index) => {
    if (v === null) return { t, v };
    const before = inputs[index - 1];
    if (before !== undefined && before.v !== null && t - before.t <= gap) {
      const first = before.v as number;
      const milliseconds = (t - before.t) * 1000;
      total += isHeld
        ? (first * milliseconds) / (1000 * unit)
        : ((first + (v as number)) * milliseconds) / (2000 * unit);
    }
    return { t, v: total };
  });
}

function smoothed(inputs: readonly Row[], args: Arguments): Row[] {
  let last: { t: number; v: number } | null = null;
  return inputs.map(({ t, v }) => {
    if (v === null) return { t, v };
    const value = v as number;
    const constant = args['time_constant'] as number | undefined;
    const weight =
      constant === undefined
        ? (args['alpha'] as number)
        : -Math.expm1((-1000 * (t - (last?.t ?? t))) / (constant * 1000));
    last = { t, v: last === null ? value : last.v + weight * (value - last.v) };
    return { t, v: last.v };
  });
}

function averages(inputs: readonly Row[], window: number): Row[] {
  return inputs.map(({ t, v }, index) => {
    if (v === null) return { t, v };
    const inside = inputs
      .slice(0, index + 1)
      .filter((row) => row.t > t - window && row.v !== null)
      .map((row) => row.v as number);
    return { t, v: exactSum(inside) / inside.length };
  });
}

/** The sum of floats of moderate size, rounded once. */
function exactSum(values: readonly number[]): number {
  const scale = 2 ** 500;
  return Number(values.reduce((sum, value) => sum + BigInt(value * scale), 0n)) / scale;
}
