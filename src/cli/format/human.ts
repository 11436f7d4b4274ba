const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
const DECIMAL_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const SMALL_PREFIXES = ['', 'm', 'µ', 'n'];

/**
 * A number with its unit as people read it: `3.21 GiB`, `12.4 kB/s`, `7.5 %`, `2d 03:04:05`; `–` for null.
 * Bytes count in powers of 1024, rates and everything else in powers of 1000. Durations of days are shortened
 * to `widthMax` characters where that is possible: `1200d 03:04`, `1200d`.
 */
export function humanQuantity(
  value: number | null,
  unit: string,
  widthMax: number = Number.POSITIVE_INFINITY,
): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (unit === 's') return shortenedDuration(humanDuration(value), widthMax);
  if (unit === '%') return `${shortNumber(value)} %`;
  if (unit === 'B') return scaled(value, 1024, BINARY_PREFIXES, unit);
  if (unit === '') return plainNumber(value);
  return scaled(value, 1000, DECIMAL_PREFIXES, unit);
}

/** Three significant digits, no exponent below a million. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(2);
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

function plainNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e18) return scaled(value, 1000, DECIMAL_PREFIXES, '').replace(' ', '');
  if (size > 0 && size < 1e-2 && size >= 1e-9) {
    const step = Math.min(Math.ceil(-Math.log10(size) / 3), SMALL_PREFIXES.length - 1);
    return `${shortNumber(value * 1000 ** step)}${SMALL_PREFIXES[step]}`;
  }
  return shortNumber(value);
}

function scaled(value: number, base: number, prefixes: readonly string[], unit: string): string {
  let amount = value;
  let step = 0;
  // 999.5 and more would print as 1000 of the smaller prefix.
  while (Math.abs(amount) >= base * 0.9995 && step < prefixes.length - 1) {
    amount /= base;
    step++;
  }
  return `${shortNumber(amount)} ${prefixes[step]}${unit}`;
}

function shortenedDuration(text: string, widthMax: number): string {
  if (text.length <= widthMax || !text.includes('d ')) return text;
  const withoutSeconds = text.slice(0, -':00'.length);
  return withoutSeconds.length <= widthMax ? withoutSeconds : text.split(' ')[0]!;
}

function humanDuration(seconds: number): string {
  if (Math.abs(seconds) < 60) return `${shortNumber(seconds)} s`;
  const whole = Math.floor(Math.abs(seconds));
  const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const dayCount = Math.floor(whole / 86_400);
  return `${seconds < 0 ? '-' : ''}${dayCount > 0 ? `${dayCount}d ` : ''}${clock}`;
}
