/**
 * JSON text that reads back to the same value: −0 keeps its sign, instants are ISO texts, whole numbers
 * beyond 2⁵³ and decimals of high accuracy are strings of all their digits.
 */
export function exactJson(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return numberJson(value);
    case 'bigint':
      return `"${value}"`;
    case 'object':
      return objectJson(value);
    default:
      return JSON.stringify(value) ?? 'null';
  }
}

/** The text of a value where quotes would only be in the way: a table, a list of numbers. */
export function valueText(value: unknown): string {
  if (value instanceof Date) return timeText(value);
  if (typeof value === 'bigint' || isDecimal(value)) return String(value.valueOf());
  return typeof value === 'string' ? value : exactJson(value);
}

/** ISO 8601 in UTC, without milliseconds where there are none. */
export function timeText(time: Date): string {
  const text = time.toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -'.000Z'.length)}Z` : text;
}

/** JSON has no number that is not finite. */
function numberJson(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}

function objectJson(value: object | null): string {
  if (value === null) return 'null';
  if (value instanceof Date) return `"${timeText(value)}"`;
  // toString() of a decimal loses the sign of −0, valueOf() does not.
  if (isDecimal(value)) return `"${value.valueOf()}"`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return exactJson(value.toJSON());
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`;
  let members = '';
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${exactJson(member)}`;
  }
  return `{${members}}`;
}

/** Decimals by shape, since more than one package makes them (decimal.js, mathjs). */
export function isDecimal(value: unknown): value is { valueOf(): string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'toSignificantDigits' in value &&
    typeof value.toSignificantDigits === 'function'
  );
}
