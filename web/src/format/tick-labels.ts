import { fixedText, minus, scaledUnit } from './number-text.ts';

/** From there on numbers need an exponent to be short. */
const LARGE = 1e15;
const SMALL = 1e-4;

/** Texts of the ticks of an axis, which differ wherever the ticks do: all with one prefix and equally many decimals. */
export function tickLabels(
  ticks: readonly number[],
  { step, unit }: { readonly step: number; readonly unit: string },
): readonly string[] {
  const largest = ticks.reduce((size, tick) => Math.max(size, Math.abs(tick)), 0);
  const { divisor, name } = scaledUnit(largest, unit);
  const end = name === '' ? '' : ` ${name}`;
  const lastPlace = lastPlaceOf(step / divisor);
  const isShort = largest / divisor < LARGE && (largest === 0 || largest / divisor >= SMALL);
  return ticks.map((tick) => {
    if (tick === 0) return `0${end}`;
    const text = isShort
      ? fixedText(tick / divisor, Math.min(20, Math.max(0, lastPlace)))
      : exponentText(tick / divisor, lastPlace);
    return text + end;
  });
}

function exponentText(value: number, lastPlace: number): string {
  const digitCount = Math.floor(Math.log10(Math.abs(value)) + 1e-9) + lastPlace;
  return minus(value.toExponential(Math.min(15, Math.max(0, digitCount))));
}

/** Where multiples of a round step have their last digit: so many places behind the point, or before it if negative. */
function lastPlaceOf(step: number): number {
  const power = Math.floor(Math.log10(step) + 1e-9);
  const isQuarter = Math.abs(step / 10 ** power - 2.5) < 0.01;
  return (isQuarter ? 1 : 0) - power;
}
