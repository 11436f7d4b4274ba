import { parentPort, Worker, workerData } from 'node:worker_threads';
import { type ErrorParts, errorOf, errorParts } from './job-error.ts';

type FromThread<Progress, Result> =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'error'; readonly error: ErrorParts };

/**
 * Runs a job in a thread of its own and resolves when the thread has ended. `file` calls `serveJob`; what
 * it is given, tells and gives back are structured clones. An abort is passed on, and waited for.
 * @throws what the job threw: its name, message, `code` and `syscall`.
 */
export async function runInThread<Task, Progress, Result>(
  file: URL,
  task: Task,
  {
    signal,
    onProgress,
  }: { readonly signal: AbortSignal; readonly onProgress: (progress: Progress) => void },
): Promise<Result> {
  const thread = new Worker(file, { workerData: task });
  const abort = (): void => thread.postMessage('abort');
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await new Promise<Result>((resolve, reject) => {
      let last: FromThread<Progress, Result> | null = null;
      thread.on('message', (message: FromThread<Progress, Result>) => {
        last = message;
        if (message.kind === 'progress') onProgress(message.progress);
      });
      thread.on('error', reject);
      thread.on('exit', (exitCode) => {
        if (last?.kind === 'result') resolve(last.result);
        else if (last?.kind === 'error') reject(errorOf(last.error));
        else reject(new Error(`A job ended without a result, with exit code ${exitCode}.`));
      });
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The other side: does the job that this thread was started for, and lets the thread end. */
export async function serveJob<Task, Progress, Result>(
  work: (
    task: Task,
    options: {
      readonly signal: AbortSignal;
      /** The buffers to be transferred are gone from this thread afterwards. */
      readonly onProgress: (progress: Progress, transferred?: readonly ArrayBuffer[]) => void;
    },
  ) => Promise<Result>,
): Promise<void> {
  const port = parentPort!;
  const interruption = new AbortController();
  port.on('message', () => interruption.abort());
  const send = (
    message: FromThread<Progress, Result>,
    transferred: readonly ArrayBuffer[] = [],
  ): void => port.postMessage(message, transferred);
  try {
    const result = await work(workerData as Task, {
      signal: interruption.signal,
      onProgress: (progress, transferred) => send({ kind: 'progress', progress }, transferred),
    });
    send({ kind: 'result', result });
  } catch (error) {
    send({ kind: 'error', error: errorParts(error) });
  } finally {
    // An open port would keep the thread.
    port.close();
  }
}
