import { Granularity } from '../../src/model/granularity.ts';

/** Seconds of each granularity that streams have whatever they are, from the finest. */
export const LEVELS: readonly number[] = [1, 10, 60, 600, 3600, 21_600, 86_400];

/** The granularity of so many seconds. */
export function granularityOf(seconds: number): Granularity {
  return Granularity.values[LEVELS.indexOf(seconds)]!;
}

/** The instant of a time, which counts seconds since 1970. */
export function msOf(t: number): number {
  return t * 1000;
}

/** The time of an instant. */
export function secondsOf(instant: Date | number): number {
  return Number(instant) / 1000;
}
