import { datapointAt } from '../../../api/datapoint-columns.ts';
import type { Datapoints } from '../../../api/datapoints.ts';
import type { DataRange, Stream } from '../../../api/types.ts';
import { valueDownsamplersOf } from '../../../downsamplers/registry.ts';
import { exactJson } from '../../../text/exact-json.ts';
import { Problem, refusingArguments } from '../../http/problem.ts';
import { assertThinnable } from '../../http/thinning.ts';
import type { Service } from '../../service.ts';

/** A point as Grafana has it: the value first, epoch milliseconds second. */
export type Point = readonly [value: number | string | null, timestampMs: number];

/** What is drawn of a stream where a level answers, the first one that it has. */
const STATISTICS: Readonly<Record<Stream['valueType'], readonly string[]>> = {
  numeric: ['mean', 'last', 'max', 'min', 'sum', 'count'],
  nominal: ['most_often', 'last', 'count'],
  graph: ['last', 'count'],
};

export interface SeriesRequest {
  readonly start: Date;
  readonly end: Date;
  /** From 2 on. */
  readonly maxPoints: number;
  readonly statistic: string | null;
  /** Null: the finest one that has few enough points. */
  readonly granularity: string | null;
}

/** The points of a stream in a range of time, as they are right now. @throws {Problem} 400 */
export async function pointsOf(
  { datastream, config }: Pick<Service, 'datastream' | 'config'>,
  { stream, request }: { readonly stream: Stream; readonly request: SeriesRequest },
): Promise<readonly Point[]> {
  const { start, end, maxPoints, granularity } = request;
  if (end < start) return [];
  const statistic = statisticOf(stream, request.statistic);
  const range: DataRange = { start, end, live: true };
  const read = (): Datapoints => {
    const named = {
      ...range,
      ...(statistic !== null && { valueDownsamplers: [statistic], timeDownsamplers: [] }),
    };
    if (granularity === null) return datastream.getData(stream.id, { ...named, maxPoints });
    const method = stream.valueType === 'numeric' ? 'lttb' : 'even';
    return datastream.getData(stream.id, granularity, {
      ...named,
      thin: { points: maxPoints, method },
    });
  };
  if (granularity !== null) {
    const named = { streamId: stream.id, granularity, range, field: 'payload.granularity' };
    await refusingArguments(() => assertThinnable(datastream, named, config.limits.thinnedRows));
  }
  const letter = statistic === null ? null : valueDownsamplersOf([statistic])[0]!.letter;
  const columns = await refusingArguments(() => read().columns());
  return Array.from(columns.timestamps, (timestampMs, row): Point => {
    const { v } = datapointAt(columns, row);
    const value = columns.values === undefined && letter !== null ? v?.[letter] : v;
    return [pointValue(value), timestampMs];
  });
}

/** The value downsampler that is drawn; null for a stream without levels. */
function statisticOf(stream: Stream, wanted: string | null): string | null {
  const names = stream.valueDownsamplers;
  if (wanted === null) {
    return STATISTICS[stream.valueType].find((name) => names.includes(name)) ?? names[0] ?? null;
  }
  if (names.includes(wanted)) return wanted;
  throw new Problem(
    400,
    `statistic: the stream ${stream.id} has ${names.length === 0 ? 'no levels' : names.join(', ')}, not ${JSON.stringify(wanted)}.`,
    { code: 'UNSUPPORTED_DOWNSAMPLER', field: 'payload.statistic' },
  );
}

function pointValue(value: unknown): Point[0] {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' ? value : exactJson(value);
}
