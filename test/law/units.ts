import { Granularity } from '../../src/model/granularity.ts';
import { LEVELS } from './model.ts';

/** The instant of the time 0. */
export const BASE_MS: number = Date.UTC(2000, 0, 1, 12);

/** The level of so many seconds that streams have whatever they are. */
export function granularityOf(seconds: number): Granularity {
  return Granularity.values[LEVELS.indexOf(seconds)]!;
}

/** The instant of a time. */
export function msOf(t: number): number {
  return BASE_MS + t * 1000;
}
