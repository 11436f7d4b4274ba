import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What became of the datapoints of one write. */
export interface IngestCounts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly dropped: number;
}

/** Seconds; from what a cached answer takes up to what nobody waits for. */
const DURATION_BOUNDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const JOB_DURATION_BOUNDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800];

/** What the service counts about itself, as Prometheus reads it. */
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #registers = { registers: [this.#registry] };
  readonly #requests = new Histogram({
    name: 'datastream_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BOUNDS,
    ...this.#registers,
  });
  readonly #datapoints = new Counter({
    name: 'datastream_ingest_datapoints_total',
    help: 'Datapoints that were written, by protocol and by what became of them.',
    labelNames: ['protocol', 'result'],
    ...this.#registers,
  });
  readonly #eventStreams = new Gauge({
    name: 'datastream_event_streams',
    help: 'Open event streams.',
    ...this.#registers,
  });
  readonly #jobRuns = new Histogram({
    name: 'datastream_job_run_duration_seconds',
    help: 'Runs of jobs in this process.',
    labelNames: ['job', 'outcome'],
    buckets: JOB_DURATION_BOUNDS,
    ...this.#registers,
  });
  readonly #warnings = new Counter({
    name: 'datastream_warnings_total',
    help: 'Warnings of the engine.',
    labelNames: ['code'],
    ...this.#registers,
  });
  readonly #deliveries = new Counter({
    name: 'datastream_alert_deliveries_total',
    help: 'Tries to deliver alerts.',
    labelNames: ['kind', 'outcome'],
    ...this.#registers,
  });

  readonly #onAccepted: (datapointCount: number) => void;

  /** @param options.onAccepted told how many datapoints a write has brought. */
  constructor({ onAccepted }: { readonly onAccepted: (datapointCount: number) => void }) {
    this.#onAccepted = onAccepted;
  }

  /** Media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds the metrics of the process: memory, processor, event loop. Once in a process. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Adds a number that is read whenever somebody asks for the metrics. What fails is left out. */
  addGauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      ...this.#registers,
      async collect() {
        this.remove();
        try {
          this.set(await read());
        } catch {
          // Whoever reads the others learns from those of requests and jobs that something is wrong.
        }
      },
    });
  }

  noteRequest(request: {
    readonly method: string;
    /** As it was declared, so that there are few of them. */
    readonly route: string;
    readonly status: number;
    readonly durationMs: number;
  }): void {
    const { method, route, status, durationMs } = request;
    this.#requests.observe({ method, route, status }, durationMs / 1000);
  }

  /** Counts what a write brought; `protocol` as in `json`, `line`, `graphite`, `prometheus`. */
  noteIngest(protocol: string, counts: IngestCounts): void {
    this.#onAccepted(counts.accepted);
    for (const result of ['accepted', 'duplicate', 'dropped'] as const) {
      if (counts[result] > 0) this.#datapoints.inc({ protocol, result }, counts[result]);
    }
  }

  noteEventStreamOpened(): void {
    this.#eventStreams.inc();
  }

  noteEventStreamClosed(): void {
    this.#eventStreams.dec();
  }

  noteJobRun(job: string, { outcome, durationMs }: { outcome: string; durationMs: number }): void {
    this.#jobRuns.observe({ job, outcome }, durationMs / 1000);
  }

  noteWarning(code: string): void {
    this.#warnings.inc({ code });
  }

  noteDelivery(kind: string, outcome: string): void {
    this.#deliveries.inc({ kind, outcome });
  }

  /** All of it in the text format of Prometheus. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }
}
