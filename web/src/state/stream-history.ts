import type { StreamInfo } from '../api/types.ts';

/** From the first to the last datapoint of all of them; null where there is none. */
export function historyOf(streams: readonly StreamInfo[]): {
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
} {
  const times = (name: 'earliestDatapoint' | 'latestDatapoint'): number[] =>
    streams.flatMap((stream) => {
      const iso = stream[name];
      return iso === null ? [] : [Date.parse(iso)];
    });
  const earliest = times('earliestDatapoint');
  const latest = times('latestDatapoint');
  return {
    earliestMs: earliest.length === 0 ? null : earliest.reduce((a, b) => Math.min(a, b)),
    latestMs: latest.length === 0 ? null : latest.reduce((a, b) => Math.max(a, b)),
  };
}
