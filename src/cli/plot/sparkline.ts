import { shareOf } from './share.ts';

const LEVELS = '▁▂▃▄▅▆▇█';

/** One character per value, from the lowest to the highest of them; a space for null. */
export function sparkline(values: readonly (number | null)[]): string {
  const present = values.filter((value) => value !== null);
  const min = Math.min(...present);
  const max = Math.max(...present);
  return values
    .map((value) => {
      if (value === null) return ' ';
      const share = min === max ? 0 : shareOf(value, { min, max });
      return LEVELS[Math.min(Math.floor(share * LEVELS.length), LEVELS.length - 1)];
    })
    .join('');
}
