const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
/** Units that people count in thousands of with a prefix letter. */
const SCALED_UNIT = /^(?:B|b|W|Wh|V|A|Hz|g|J|bit|B\/s|b\/s|bit\/s|bps|Bps|W\/m²)$/;
/** Longer numbers lose their last places, which nobody reads. */
const DIGIT_COUNT = 4;

/** A number in few digits: `0.0123`, `15.25`, `1.234 M`; exponents only where nothing else is short. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e15 || size < 1e-4) return minus(value.toExponential(2));
  if (size >= 1e4) return grouped(Math.round(value));
  const digits = Math.max(0, DIGIT_COUNT - 1 - Math.floor(Math.log10(size)));
  return minus(String(Number(value.toFixed(Math.min(digits, 6)))));
}

/** A value with its unit: `2.84 GiB` stays out, as all units count in thousands here: `3.05 GB`. */
export function quantityText(value: number, unit: string): string {
  if (unit === '') return numberText(value);
  if (SCALED_UNIT.test(unit) && Number.isFinite(value) && Math.abs(value) >= 1000) {
    const power = Math.min(Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9), PREFIXES.length - 1);
    return `${numberText(value / 1000 ** power)} ${PREFIXES[power]}${unit}`;
  }
  return `${numberText(value)} ${unit}`;
}

function grouped(value: number): string {
  // A thin space between thousands, as SI has it: no comma that others read as a point.
  return minus(String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009'));
}

function minus(text: string): string {
  return text.replace('-', '−');
}
