import { setTimeout as delay } from 'node:timers/promises';
import type { BaseLogger } from 'pino';
import type { Datastream } from '../api/datastream.ts';
import { collect } from '../collect/collector.ts';
import { HostSampler } from '../collect/host-sampler.ts';

const SAMPLE_INTERVAL_MS = 1000;

/** Samples of this host, for as long as the service runs. */
export interface HostCollection {
  /** Resolves when the last sample is stored. */
  stop(): Promise<void>;
}

/** Begins to sample this host, once a second. What fails is logged, once for each cause. */
export function collectHost(
  datastream: Datastream,
  {
    now,
    log,
    onStored,
  }: {
    readonly now: () => Date;
    readonly log: BaseLogger;
    /** Told how many datapoints of a sample were stored. */
    readonly onStored: (datapointCount: number) => void;
  },
): HostCollection {
  const ending = new AbortController();
  const collecting = collect(datastream, {
    sampler: new HostSampler(),
    intervalMs: SAMPLE_INTERVAL_MS,
    durationMs: null,
    // Maintenance is a job of the service.
    downsampleEveryMs: Number.POSITIVE_INFINITY,
    now,
    sleep: async (durationMs, signal) => {
      await delay(durationMs, undefined, { signal }).catch(() => {});
    },
    signal: ending.signal,
    onProblem: (cause, message) => log.warn({ cause }, message),
    onTick: async () => {},
    onStored,
  }).catch((err: unknown) => log.error({ err }, 'The host is not sampled any more.'));
  return {
    stop: async () => {
      ending.abort();
      await collecting;
    },
  };
}
