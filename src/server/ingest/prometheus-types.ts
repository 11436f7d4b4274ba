/** `MetricMetadata.MetricType` of remote write. */
const COUNTER = 1;
const HISTOGRAM = 3;
const SUMMARY = 5;

/** Metrics whose type is remembered, at most. */
const TYPE_COUNT_MAX = 100_000;

/** Types of metrics: Prometheus tells them in requests of their own, about once a minute. */
export class MetricTypes {
  readonly #types = new Map<string, number>();
  #version = 0;

  /** Grows when a type becomes known, or another one. */
  get version(): number {
    return this.#version;
  }

  set(family: string, type: number): void {
    if (this.#types.get(family) === type) return;
    if (this.#types.size >= TYPE_COUNT_MAX) this.#types.clear();
    this.#types.set(family, type);
    this.#version++;
  }

  /** Whether a metric only grows: a counter, or the counts and the sum of a histogram or a summary. */
  isCounter(metric: string): boolean {
    if (this.#types.get(metric) === COUNTER) return true;
    const at = metric.lastIndexOf('_');
    const family = this.#types.get(metric.slice(0, Math.max(at, 0)));
    switch (metric.slice(at)) {
      case '_total':
        return family === COUNTER;
      case '_bucket':
        return family === HISTOGRAM;
      case '_count':
      case '_sum':
        return family === HISTOGRAM || family === SUMMARY;
      default:
        return false;
    }
  }
}
