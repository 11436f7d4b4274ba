import type { BaseLogger } from 'pino';
import type { Datastream } from '../api/datastream.ts';
import type { Access } from './access/access.ts';
import type { Alerts } from './alerts/alerts.ts';
import { type SineDemoSwitch, sineDemoJob } from './compat/feeds/sine-demo.ts';
import type { ServiceConfig } from './config/service-config.ts';
import { alertsJob } from './jobs/alerts-job.ts';
import { cleanupJob } from './jobs/cleanup-job.ts';
import type { Job } from './jobs/job.ts';
import { Jobs, type ScheduledJob } from './jobs/jobs.ts';
import { maintenanceJob } from './jobs/maintenance-job.ts';
import type { WarningCounts } from './jobs/warning-counts.ts';
import type { ServiceMetrics } from './operations/metrics.ts';
import type { StateStore } from './state/state-store.ts';

interface JobParts {
  readonly state: StateStore;
  readonly access: Access;
  readonly datastream: Datastream;
  readonly alerts: Alerts;
  readonly demo: SineDemoSwitch;
  readonly metrics: ServiceMetrics;
  readonly warnings: WarningCounts;
  readonly now: () => Date;
  readonly log: BaseLogger;
}

/** The jobs of the service on the schedules of its configuration. They wait for `start`. */
export function serviceJobs({ jobs }: Pick<ServiceConfig, 'jobs'>, parts: JobParts): Jobs {
  const { state, access, datastream, alerts, demo, metrics, warnings, now, log } = parts;
  const deliveries = (err: unknown): void => log.error({ err }, 'Deliveries of alerts broke off.');
  const cleanup = cleanupJob([() => access.removeEnded(), () => alerts.removeEnded()]);
  const scheduled: readonly ScheduledJob[] = [
    onSchedule(maintenanceJob(datastream, warnings), jobs.maintenance),
    onSchedule(alertsJob(alerts, deliveries), jobs.alerts),
    onSchedule(cleanup, jobs.cleanup),
    onSchedule(sineDemoJob(demo, now), jobs.demo),
  ];
  return new Jobs(scheduled, {
    state,
    now,
    onRun: ({ name }, run) => {
      metrics.noteJobRun(name, run);
      if (run.outcome === 'failed') log.error({ job: name, ...run }, 'A job failed.');
      else log.debug({ job: name, ...run }, 'A job has run.');
    },
  });
}

function onSchedule(
  job: Job,
  { enabled, schedule }: ServiceConfig['jobs']['maintenance'],
): ScheduledJob {
  return { ...job, isEnabled: enabled, schedule };
}
