import type { Datastream } from '../api/datastream.ts';
import { HostStreams } from './host-streams.ts';
import type { Sample, Sampler } from './sampler.ts';

/** By so much clocks are set now and then; it is not worth a word. */
const CLOCK_STEP_MS = 60_000;
/** A reading that takes longer than this will not come any more. */
const SAMPLE_DURATION_MAX_MS = 10_000;

export interface CollectOptions {
  readonly sampler: Sampler;
  /** Whole seconds. */
  readonly intervalMs: number;
  /** null: until the signal. */
  readonly durationMs: number | null;
  readonly downsampleEveryMs: number;
  readonly now: () => Date;
  readonly sleep: (durationMs: number, signal: AbortSignal) => Promise<void>;
  /** Ends the sampling; what was appended is downsampled before `collect` resolves. */
  readonly signal: AbortSignal;
  /** Takes a problem that the job survives. Called once for each `cause`. */
  readonly onProblem: (cause: string, message: string) => void;
  /** Shows what is stored after a sample; an error of it ends the job. */
  readonly onTick: (streams: HostStreams, timestamp: Date) => Promise<void>;
  /** Told how many datapoints of a sample were stored. */
  readonly onStored?: (datapointCount: number) => void;
}

export interface CollectReport {
  readonly sampleCount: number;
  /** Samples that could not be taken or stored. */
  readonly failedCount: number;
  readonly streams: HostStreams;
}

/**
 * Samples a host at whole multiples of the interval, appends each sample at one timestamp, and
 * downsamples on a schedule. Ticks that were missed are skipped, not made up for.
 */
export async function collect(
  datastream: Datastream,
  options: CollectOptions,
): Promise<CollectReport> {
  const collector = new Collector(datastream, options);
  try {
    await collector.run();
  } finally {
    await collector.finish();
  }
  return collector.report();
}

class Collector {
  readonly #datastream: Datastream;
  readonly #options: CollectOptions;
  readonly #streams: HostStreams;
  readonly #reportedCauses = new Set<string>();
  #maintenance: Promise<void> | null = null;
  #maintainedMs = 0;
  #sampleCount = 0;
  #tickCount = 0;

  constructor(datastream: Datastream, options: CollectOptions) {
    this.#datastream = datastream;
    this.#options = options;
    this.#streams = new HostStreams(datastream, options.sampler.host);
  }

  report(): CollectReport {
    return {
      sampleCount: this.#sampleCount,
      failedCount: this.#tickCount - this.#sampleCount,
      streams: this.#streams,
    };
  }

  async run(): Promise<void> {
    const { intervalMs, durationMs, now, sleep, signal } = this.#options;
    const startMs = now().getTime();
    let tickMs = Math.ceil(startMs / intervalMs) * intervalMs;
    const endMs = durationMs === null ? Number.POSITIVE_INFINITY : tickMs + durationMs;
    this.#maintainedMs = tickMs;
    while (tickMs < endMs) {
      const aheadMs = tickMs - now().getTime();
      // Streams take nothing older than what they have: there is nothing to do but to wait.
      if (aheadMs > intervalMs + CLOCK_STEP_MS) {
        this.#report(
          'clock',
          `the clock was set back; nothing is sampled until ${new Date(tickMs).toISOString()}`,
        );
      }
      if (aheadMs > 0) await sleep(aheadMs, signal);
      if (signal.aborted) return;
      // Timers may fire a moment early, and a busy machine wakes late: whole ticks are lost then.
      tickMs = Math.max(tickMs, this.#currentTickMs());
      if (tickMs >= endMs) return;
      await this.#tick(tickMs);
      tickMs = Math.max(tickMs, this.#currentTickMs()) + intervalMs;
    }
  }

  /** Waits for what is under way, and computes every bucket that is complete. */
  async finish(): Promise<void> {
    await this.#maintenance;
    await this.#maintain();
  }

  #currentTickMs(): number {
    const { intervalMs, now } = this.#options;
    return Math.floor(now().getTime() / intervalMs) * intervalMs;
  }

  async #tick(tickMs: number): Promise<void> {
    const timestamp = new Date(tickMs);
    this.#tickCount++;
    await this.#survive('sample', async () => {
      const sample = await this.#takeSample();
      for (const failure of sample.failures) this.#report(failure, failure);
      const items = await this.#streams.prepare(sample);
      await this.#datastream.appendMultiple(items.map((item) => ({ ...item, timestamp })));
      this.#sampleCount++;
      this.#options.onStored?.(items.length);
      // After the append: a failure here costs no sample, and is made good on the next tick.
      await this.#streams.backprocess();
    });
    const { intervalMs, now, downsampleEveryMs, onTick } = this.#options;
    if (now().getTime() - tickMs > intervalMs) {
      this.#report('late', 'a sample took longer than the interval; ticks are skipped');
    }
    if (tickMs - this.#maintainedMs >= downsampleEveryMs && this.#maintenance === null) {
      this.#maintainedMs = tickMs;
      this.#maintenance = this.#maintain().finally(() => {
        this.#maintenance = null;
      });
    }
    await onTick(this.#streams, timestamp);
  }

  async #takeSample(): Promise<Sample> {
    const { sampler } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const expiry = new Promise<never>((_resolve, reject) => {
      const message = `no sample within ${SAMPLE_DURATION_MAX_MS / 1000} s`;
      timer = setTimeout(() => reject(new Error(message)), SAMPLE_DURATION_MAX_MS);
    });
    try {
      return await Promise.race([sampler.sample(), expiry]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #maintain(): Promise<void> {
    await this.#survive('downsampling', async () => {
      await this.#datastream.downsampleStreams({ queryTags: this.#streams.tags });
    });
  }

  async #survive(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      const cause = typeof code === 'string' ? code : message;
      this.#report(`${name} ${cause}`, `${name} failed: ${message || 'unknown error'}`);
    }
  }

  #report(cause: string, message: string): void {
    if (this.#reportedCauses.has(cause)) return;
    this.#reportedCauses.add(cause);
    this.#options.onProblem(cause, message);
  }
}
