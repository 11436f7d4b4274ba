import type { MaintenanceProgress } from '../../api/types.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import type { Progress } from '../progress.ts';

/** Draws what maintenance reports, and remembers the last of it. */
export function progressUpdater(progress: Progress): {
  readonly onProgress: (report: MaintenanceProgress) => void;
  /** One line on what was done. */
  readonly summary: () => string;
} {
  let last: MaintenanceProgress = { streamCount: 0, streamCountTotal: 0, rowCount: 0 };
  return {
    onProgress: (report) => {
      last = report;
      progress.update(report.streamCount, {
        total: report.streamCountTotal,
        note: `${report.rowCount} rows written`,
      });
    },
    summary: () =>
      `${countText(last.streamCount, 'stream')}, ${countText(last.rowCount, 'row')} written`,
  };
}

/** @throws {CliError} MAINTENANCE_FAILED when maintenance of any stream has failed in this command. */
export function assertMaintained({ maintenanceFailureCount }: CommandContext): void {
  if (maintenanceFailureCount === 0) return;
  throw new CliError(
    'MAINTENANCE_FAILED',
    `maintenance failed: ${countText(maintenanceFailureCount, 'time')}, see the warnings`,
  );
}
