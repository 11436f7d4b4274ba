// Times of what is awaited.
import { quantile } from '../backends/rounds.mjs';

export async function secondsOf(work) {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
}

/** The median time of reads; the first few only warm up. @param read gets 0, 1, … */
export async function medianMs(count, read) {
  for (let i = 0; i < 3; i++) await read(i);
  const milliseconds = [];
  for (let i = 0; i < count; i++) milliseconds.push((await secondsOf(() => read(i + 3))) * 1000);
  return quantile(milliseconds, 0.5);
}
