const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
/** Units that people count in thousands of with a prefix letter. */
const SCALED_UNIT = /^(?:B|b|W|Wh|V|A|Hz|g|J|bit|B\/s|b\/s|bit\/s|bps|Bps|W\/m²)$/;
/** Longer numbers lose their last places, which nobody reads. */
const DIGIT_COUNT = 4;
/** From here on, whole numbers are too long for a column. */
const LONG_FROM = 1e6;

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
  const { divisor, name } = scaledUnit(Math.abs(value), unit);
  return `${numberText(value / divisor)} ${name}`;
}

/** As `quantityText`, where there is no room for many digits: `5.687 G packets`. */
export function shortQuantityText(value: number, unit: string): string {
  const size = Math.abs(value);
  if (SCALED_UNIT.test(unit) || !(size >= LONG_FROM && size < 1e18))
    return quantityText(value, unit);
  const power = Math.floor(Math.log10(size) / 3 + 1e-9);
  return `${numberText(value / 1000 ** power)} ${`${PREFIXES[power]} ${unit}`.trimEnd()}`;
}

/** The unit with the prefix for numbers of a size, and what they are divided by. */
export function scaledUnit(
  size: number,
  unit: string,
): { readonly divisor: number; readonly name: string } {
  if (!SCALED_UNIT.test(unit) || !Number.isFinite(size) || size < 1000) {
    return { divisor: 1, name: unit };
  }
  const power = Math.min(Math.floor(Math.log10(size) / 3 + 1e-9), PREFIXES.length - 1);
  return { divisor: 1000 ** power, name: `${PREFIXES[power]}${unit}` };
}

/** A number with so many places behind the point, thousands apart. */
export function fixedText(value: number, decimalCount: number): string {
  const [whole = '', ...fraction] = Math.abs(value).toFixed(decimalCount).split('.');
  const sign = value < 0 ? '−' : '';
  return sign + [Number(whole) >= 1e4 ? thousandsApart(whole) : whole, ...fraction].join('.');
}

function grouped(value: number): string {
  return minus(thousandsApart(String(value)));
}

/** A thin space between thousands, as SI has it: no comma that others read as a point. */
function thousandsApart(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

export function minus(text: string): string {
  return text.replaceAll('-', '−');
}
