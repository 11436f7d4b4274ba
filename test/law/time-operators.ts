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

/**
 * @param given the inputs of the one source, in order, and the last output of which it goes on, if some of its own stay
 * whatever happens.
 */
export function timeOutputs(
  op: TimeOperator,
  args: Arguments,
  { inputs, last }: { inputs: readonly Row[]; last: Row | null },
): Row[] {
  switch (op) {
    case 'integral':
      return integral(inputs, args, last);
    case 'exponential_smoothing':
      return smoothed(inputs, args, last);
    case 'moving_average':
      return averages(inputs, args['window'] as number);
    case 'time_shift':
      return inputs.map(({ t, v }) => ({ t: t + (args['offset'] as number), v }));
  }
}

function integral(all: readonly Row[], args: Arguments, last: Row | null): Row[] {
  const unit = (args['unit'] ?? 1) as number;
  const gap = (args['max_gap'] ?? Number.POSITIVE_INFINITY) as number;
  const isHeld = args['method'] === 'held';
  const inputs = last === null ? all : all.filter(({ t }) => t > last.t);
  let total = (last?.v ?? 0) as number;
  let before = last === null ? undefined : all.findLast(({ t }) => t === last.t);
  return inputs.map((input) => {
    const { t, v } = input;
    if (v === null) {
      before = input;
      return { t, v };
    }
    if (before !== undefined && before.v !== null && t - before.t <= gap) {
      const first = before.v as number;
      const milliseconds = (t - before.t) * 1000;
      total += isHeld
        ? (first * milliseconds) / (1000 * unit)
        : ((first + (v as number)) * milliseconds) / (2000 * unit);
    }
    before = input;
    return { t, v: total };
  });
}

function smoothed(all: readonly Row[], args: Arguments, from: Row | null): Row[] {
  let last = from as { t: number; v: number } | null;
  const inputs = all.filter(({ t }) => from === null || t > from.t);
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
