import type { Datastream } from '../../api/datastream.ts';
import type { MaintenanceProgress } from '../../api/types.ts';
import type { Job } from './job.ts';
import type { WarningCounts } from './warning-counts.ts';

/**
 * Computes what is complete, stale or pending, and deletes what has expired. Other processes may do the same at
 * once: leases share the streams.
 */
export function maintenanceJob(datastream: Datastream, warnings: WarningCounts): Job {
  return {
    name: 'maintenance',
    title: 'Computes levels and derived streams, and deletes what has expired',
    run: async (signal) => {
      const { failureCount } = warnings;
      let streamCount = 0;
      let rowCount = 0;
      // In this order, what is filled backwards gets its levels in the same run.
      for (const step of ['backprocessStreams', 'downsampleStreams'] as const) {
        let last: MaintenanceProgress | null = null;
        await datastream[step]({
          signal,
          onProgress: (progress) => {
            last = progress;
          },
        });
        const progress = last as MaintenanceProgress | null;
        streamCount = Math.max(streamCount, progress?.streamCount ?? 0);
        rowCount += progress?.rowCount ?? 0;
      }
      const failedCount = warnings.failureCount - failureCount;
      if (failedCount > 0) {
        throw new Error(
          `Maintenance failed for ${failedCount} of ${streamCount} streams; the last: ${warnings.lastFailure}`,
        );
      }
      return { streamCount, rowCount };
    },
  };
}
