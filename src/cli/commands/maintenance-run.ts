import type { MaintenanceProgress } from '../../api/types.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { errorMessage } from '../error-message.ts';
import { errorCodeOf } from '../exit-codes.ts';
import { countText } from '../format/count-text.ts';
import { startProgress } from '../progress.ts';

/** One run of maintenance; it passes on what it is asked to report. */
export type MaintenanceRun = (
  onProgress: (report: MaintenanceProgress) => void,
) => Promise<unknown>;

/**
 * Runs maintenance once, or again and again until Ctrl-C, which then is no error.
 * @throws {CliError} MAINTENANCE_FAILED at the end when maintenance of any stream has failed.
 */
export async function runMaintenance(
  context: CommandContext,
  { label, everyMs, run }: { label: string; everyMs: number | undefined; run: MaintenanceRun },
): Promise<void> {
  if (everyMs === undefined) await runOnce(context, label, run);
  else await runEvery(context, everyMs, () => runOnce(context, label, run));
  const { maintenanceFailureCount } = context;
  if (maintenanceFailureCount === 0) return;
  throw new CliError(
    'MAINTENANCE_FAILED',
    `maintenance failed: ${countText(maintenanceFailureCount, 'time')}, see the warnings`,
  );
}

async function runOnce(context: CommandContext, label: string, run: MaintenanceRun): Promise<void> {
  const progress = startProgress(context.io, label);
  let last: MaintenanceProgress = { streamCount: 0, streamCountTotal: 0, rowCount: 0 };
  try {
    await run((report) => {
      last = report;
      const { streamCount, streamCountTotal: total, rowCount } = report;
      progress.update(streamCount, { total, note: `${rowCount} rows written` });
    });
  } finally {
    progress.stop();
  }
  const { streamCount, rowCount } = last;
  await context.out.line(
    `${countText(streamCount, 'stream')}, ${countText(rowCount, 'row')} written`,
  );
  await context.out.flush();
}

/** A store that is away for a while is waited for: whoever started this may not be there to start it anew. */
async function runEvery(
  context: CommandContext,
  everyMs: number,
  once: () => Promise<void>,
): Promise<void> {
  const { io } = context;
  while (!io.signal.aborted) {
    const startMs = io.now().getTime();
    try {
      await once();
    } catch (error) {
      if (!io.signal.aborted) {
        if (errorCodeOf(error) !== 'BACKEND_UNAVAILABLE') throw error;
        context.note(`warning: ${errorMessage(error)}`);
      }
    }
    const elapsedMs = io.now().getTime() - startMs;
    await io.sleep(Math.max(everyMs - elapsedMs, 0), io.signal);
  }
}
