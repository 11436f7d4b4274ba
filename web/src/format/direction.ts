import type { Json } from '../api/types.ts';

export type Direction = 'up' | 'down' | 'equal' | 'none';

export const DIRECTION_SIGN: Readonly<Record<Direction, string>> = {
  up: '▲',
  down: '▼',
  equal: '=',
  none: '·',
};

export const DIRECTION_TEXT: Readonly<Record<Direction, string>> = {
  up: 'rising',
  down: 'falling',
  equal: 'unchanged',
  none: 'no earlier value',
};

/** How the newest value stands to the one before: numbers by size, others only by being equal. */
export function directionOf(newest: Json | undefined, before: Json | undefined): Direction {
  if (newest === undefined || before === undefined || newest === null || before === null) {
    return 'none';
  }
  if (typeof newest === 'number' && typeof before === 'number') {
    if (newest === before) return 'equal';
    return newest > before ? 'up' : 'down';
  }
  return JSON.stringify(newest) === JSON.stringify(before) ? 'equal' : 'none';
}
