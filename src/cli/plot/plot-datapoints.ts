import type { Datapoint, Stream } from '../../api/types.ts';
import type { Granularity } from '../../model/granularity.ts';
import { datapointColumns, isLevel } from '../format/datapoints.ts';
import { plotText } from './plot.ts';
import { Thinner, type Thinning } from './thinner.ts';

export interface PlotDatapointsOptions {
  readonly stream: Stream;
  readonly granularity: Granularity;
  /** Names of the series; absent: mean, min and max where the stream has them, else the count. */
  readonly valueDownsamplers?: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly hasColor: boolean;
  readonly signal: AbortSignal;
}

/** Draws datapoints of one level of a stream, in memory that depends on the width alone. */
export async function plotDatapoints(
  datapoints: AsyncIterable<Datapoint>,
  options: PlotDatapointsOptions,
): Promise<string> {
  const { stream, granularity, width } = options;
  const names = seriesNames(options);
  const columns = datapointColumns({ stream, granularity, valueDownsamplers: names });
  const [time, ...values] = columns;
  const series = values.map((column) => ({
    name: column.title,
    cellOf: column.cellOf,
    thinning: thinningOf(column.title),
    thinner: new Thinner({
      thinning: thinningOf(column.title),
      stepMs: granularity.durationMs,
      binCountMax: width * 8,
    }),
  }));
  for await (const datapoint of datapoints) {
    options.signal.throwIfAborted();
    const timeMs = Number(time!.cellOf(datapoint));
    for (const { cellOf, thinner } of series) {
      thinner.add(timeMs, drawableNumber(cellOf(datapoint)));
    }
  }
  return plotText(
    series.map(({ name, thinning, thinner }) => ({ name, thinning, points: thinner.points() })),
    {
      title: titleOf(stream, granularity),
      unit: names.every((name) => name === 'count') ? '' : unitOf(stream),
      width,
      height: options.height,
      hasColor: options.hasColor,
    },
  );
}

function seriesNames(options: PlotDatapointsOptions): readonly string[] {
  const { stream } = options;
  if (!isLevel(options)) return ['value'];
  if (options.valueDownsamplers !== undefined) return options.valueDownsamplers;
  const names = ['mean', 'min', 'max'].filter((name) => stream.valueDownsamplers.includes(name));
  return names.length > 0 ? names : ['count'];
}

function thinningOf(name: string): Thinning {
  return name === 'min' || name === 'max' ? name : 'mean';
}

/** An already downsampled value is drawn as its mean; NaN where there is nothing to draw. */
function drawableNumber(value: unknown): number {
  if (value === null || value === undefined) return Number.NaN;
  const number = Number(typeof value === 'object' && 'm' in value ? value.m : value);
  return Number.isFinite(number) ? number : Number.NaN;
}

function unitOf({ tags }: Stream): string {
  return typeof tags['unit'] === 'string' ? tags['unit'] : '';
}

function titleOf({ id, tags }: Stream, { name }: Granularity): string {
  const title = tags['title'] ?? tags['metric'] ?? id;
  return `${typeof title === 'string' ? title : id}, ${name}`;
}
