const LEVELS = '▁▂▃▄▅▆▇█';

/** One character per value, from the lowest to the highest of them; a space for null. */
export function sparkline(values: readonly (number | null)[]): string {
  const present = values.filter((value) => value !== null);
  const min = Math.min(...present);
  const range = Math.max(...present) - min;
  return values
    .map((value) => {
      if (value === null) return ' ';
      const share = range === 0 ? 0 : (value - min) / range;
      return LEVELS[Math.min(Math.floor(share * LEVELS.length), LEVELS.length - 1)];
    })
    .join('');
}
