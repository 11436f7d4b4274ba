/** How long and how often something that failed in passing is tried again. */
export interface RetryOptions {
  /** No new try begins after this time. */
  readonly durationMaxMs: number;
  readonly pauseMaxMs: number;
  /** Whether the failure is a passing one, after which a repeat is harmless. */
  readonly isRetryable: (error: unknown) => boolean;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 20;

/**
 * Repeats work that failed in passing, after pauses that double up to a limit, with a random part so that
 * many clients do not come back in step. Throws what the last try threw.
 */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { durationMaxMs, pauseMaxMs, isRetryable, signal } = options;
  const startMs = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, pauseMaxMs)) {
    try {
      return await work();
    } catch (error) {
      const isOver = performance.now() - startMs + pauseMs > durationMaxMs;
      if (isOver || signal?.aborted === true || !isRetryable(error)) throw error;
      await sleep(pauseMs * (0.5 + Math.random() / 2), signal);
    }
  }
}

function sleep(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal?.addEventListener('abort', finish);
  });
}
