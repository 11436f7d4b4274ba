import type { Job } from './job.ts';

/** Forgets what has ended; each part says how. */
export function cleanupJob(parts: readonly (() => void)[]): Job {
  return {
    name: 'cleanup',
    title: 'Forgets sessions, tokens and deliveries that are over',
    run: async () => {
      for (const part of parts) part();
      return null;
    },
  };
}
