// A job of the tests. What it is to do comes with the task.
import { serveJob } from '../../dist/cli/jobs/job-thread.js';

await serveJob(async ({ does }, { signal, onProgress }) => {
  onProgress({ does });
  if (does === 'fail') throw Object.assign(new Error('damaged'), { code: 'BLOCK_CORRUPT' });
  if (does === 'die') process.exit(9);
  if (does === 'wait') {
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    signal.throwIfAborted();
  }
  return { done: does };
});
