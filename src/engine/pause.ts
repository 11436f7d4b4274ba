const PAUSE_MAX_MS = 200;

/**
 * Waits after a lost race, for a random time of up to twice as long as the last time: whoever is slower
 * would otherwise lose each time.
 */
export function pause(tryCount: number): Promise<void> {
  const pauseMs = Math.random() * Math.min(2 ** tryCount, PAUSE_MAX_MS);
  return new Promise((resolve) => {
    if (tryCount === 0) setImmediate(resolve);
    else setTimeout(resolve, pauseMs);
  });
}
