import type { Json } from '../../model/tags.ts';
import type { Job } from './job.ts';

/** What the job needs of alerts. */
export interface EvaluatedAlerts {
  evaluate(signal: AbortSignal): Promise<object>;
  deliverDue(): Promise<void>;
}

/** Holds streams against rules; `onFailure` is told when deliveries, which it does not wait for, break off. */
export function alertsJob(alerts: EvaluatedAlerts, onFailure: (error: unknown) => void): Job {
  return {
    name: 'alerts',
    title: 'Looks at the streams that alert rules are about, and delivers alerts',
    run: async (signal) => {
      const report = await alerts.evaluate(signal);
      // A destination that does not answer must not keep others from being raised.
      alerts.deliverDue().catch(onFailure);
      return { ...report } as Json;
    },
  };
}
