/** A name in InfluxQL: any text, between double quotes. */
export function quoteName(name: string): string {
  return `"${name.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}

/** A measurement in line protocol. */
export function escapeMeasurement(name: string): string {
  if (!/[\\, \n]/.test(name)) return name;
  return name.replace(/\\/g, '\\\\').replace(/[, ]/g, '\\$&').replace(/\n/g, '\\n');
}

/** The value of a string field in line protocol: any text. */
export function quoteField(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The shortest text that InfluxDB reads back to the same bits. Finite numbers only. */
export function floatText(value: number): string {
  return value === 0 && Object.is(value, -0) ? '-0' : String(value);
}
