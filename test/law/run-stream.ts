import type { ModelStream } from './model.ts';

/** A stream of a run, and what the model knows of it. */
export interface RunStream {
  readonly id: string;
  readonly model: ModelStream;
  /** Seconds of the latest datapoint that this run appended. */
  latest: number;
  /** Of an aggregate by tags: of which site, and from when on inputs count. */
  query?: { readonly site: string | null; readonly after: number };
}

/** The model of a stream without datapoints. */
export function nothingYet(): Pick<ModelStream, 'arrivals' | 'reached'> {
  return { arrivals: [], reached: Number.NEGATIVE_INFINITY };
}

/** The value as the stream takes it. */
export function valueFor({ model }: RunStream, value: number | null): unknown {
  const isNominal = !model.isNumeric;
  return isNominal && value !== null ? [0, 1, 'x', true][Math.abs(value * 4) % 4] : value;
}

/** Notes an arrival, and returns the value as the stream takes it. */
export function arrive(stream: RunStream, t: number, value: number | null): unknown {
  const { model } = stream;
  const v = valueFor(stream, value);
  model.arrivals.push({ t, v });
  model.reached = Math.max(model.reached, t);
  stream.latest = Math.max(stream.latest, t);
  return v;
}

/** Notes that datapoints went. */
export function leave(stream: RunStream, isGone: (t: number) => boolean): void {
  const { model } = stream;
  model.arrivals = model.arrivals.filter(({ t }) => !isGone(t));
  if (model.arrivals.length > 0) stream.latest = Math.max(...model.arrivals.map(({ t }) => t));
}
