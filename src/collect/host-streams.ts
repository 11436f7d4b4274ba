import type { Datastream } from '../api/datastream.ts';
import type { DeriveFrom, StreamDefinition } from '../api/types.ts';
import { Granularity } from '../model/granularity.ts';
import type { StreamId } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import type { InterfaceCounters, Sample } from './sampler.ts';

const VALUE_DOWNSAMPLERS = ['mean', 'min', 'max', 'std_dev'];

/** A stream as the view shows it. */
export interface HostStream {
  readonly streamId: StreamId;
  readonly title: string;
  readonly unit: string;
}

interface Metric {
  readonly metric: string;
  readonly title: string;
  readonly unit: string;
  readonly valueOf: (sample: Sample) => number | null;
}

const METRICS: readonly Metric[] = [
  { metric: 'load', title: 'load', unit: '', valueOf: (sample) => sample.load },
  { metric: 'cpu', title: 'cpu', unit: '%', valueOf: (sample) => sample.cpuPercent },
  {
    metric: 'memory_used',
    title: 'memory used',
    unit: 'B',
    valueOf: (sample) => sample.memoryUsedBytes,
  },
  {
    metric: 'memory_free',
    title: 'memory free',
    unit: 'B',
    valueOf: (sample) => sample.memoryFreeBytes,
  },
  { metric: 'uptime', title: 'uptime', unit: 's', valueOf: (sample) => sample.uptimeSeconds },
];
const UPTIME_METRIC = 'uptime';

const DIRECTIONS = [
  { key: 'rx', countOf: (counters: InterfaceCounters) => counters.rxBytes },
  { key: 'tx', countOf: (counters: InterfaceCounters) => counters.txBytes },
] as const;

/** The streams of one direction of one interface. */
interface Channel {
  readonly counter: HostStream;
  readonly rate: HostStream;
}

export interface AppendItem {
  readonly streamId: StreamId;
  readonly value: number;
}

/**
 * The streams of one host, found or created by their tags: its metrics, the resets seen in its uptime,
 * counters and their rates for each interface, and totals over the interfaces that are there. The inputs
 * of a stream cannot change, so that each set of interfaces has totals of its own, named by the set.
 */
export class HostStreams {
  readonly #datastream: Datastream;
  readonly #host: string;
  readonly #metrics = new Map<string, HostStream>();
  readonly #channels = new Map<string, Channel>();
  readonly #totals = new Map<string, readonly HostStream[]>();
  #reset: HostStream | null = null;
  #shownRates: readonly HostStream[] = [];
  #isBackprocessed = true;

  constructor(datastream: Datastream, host: string) {
    this.#datastream = datastream;
    this.#host = host;
  }

  /** Tags that all streams of this host have. */
  get tags(): Tags {
    return { host: this.#host, source: 'collect' };
  }

  /** In the order of the view: metrics, then the rates of the interfaces of the last sample, then totals. */
  get shown(): readonly HostStream[] {
    return [...this.#metrics.values(), ...this.#shownRates];
  }

  /** Makes sure that there is a stream for everything in the sample, and gives the values to append. */
  async prepare(sample: Sample): Promise<readonly AppendItem[]> {
    const items: AppendItem[] = [];
    for (const metric of METRICS) {
      const stream = await this.#ensureMetric(metric);
      const value = metric.valueOf(sample);
      if (value !== null) items.push({ streamId: stream.streamId, value });
    }
    const reset = await this.#ensureReset();
    if (sample.interfaces !== null) {
      items.push(...(await this.#prepareInterfaces(sample.interfaces, reset)));
    }
    return items;
  }

  async #prepareInterfaces(
    interfaces: readonly InterfaceCounters[],
    reset: HostStream,
  ): Promise<readonly AppendItem[]> {
    const sorted = [...interfaces].sort((a, b) => (a.name < b.name ? -1 : 1));
    const items: AppendItem[] = [];
    const rates: HostStream[] = [];
    for (const counters of sorted) {
      for (const { key, countOf } of DIRECTIONS) {
        const { counter, rate } = await this.#ensureChannel(counters.name, key, reset);
        items.push({ streamId: counter.streamId, value: countOf(counters) });
        rates.push(rate);
      }
    }
    const totals = await this.#ensureTotals(sorted.map(({ name }) => name));
    this.#shownRates = [...rates, ...totals];
    return items;
  }

  /** Derives the history of streams that `prepare` found or created; nothing when there are none. */
  async backprocess(): Promise<void> {
    if (this.#isBackprocessed) return;
    await this.#datastream.backprocessStreams({ queryTags: this.tags });
    this.#isBackprocessed = true;
  }

  async #ensureMetric({ metric, title, unit }: Metric): Promise<HostStream> {
    let stream = this.#metrics.get(metric);
    if (stream === undefined) {
      stream = await this.#ensure({ metric }, { title, unit });
      this.#metrics.set(metric, stream);
    }
    return stream;
  }

  async #ensureReset(): Promise<HostStream> {
    this.#reset ??= await this.#ensure(
      { metric: 'reset' },
      {
        title: 'restarts',
        unit: '',
        valueType: 'nominal',
        valueDownsamplers: ['count'],
        deriveOp: 'counter_reset',
        deriveFrom: this.#metrics.get(UPTIME_METRIC)!.streamId,
      },
    );
    return this.#reset;
  }

  async #ensureChannel(name: string, key: 'rx' | 'tx', reset: HostStream): Promise<Channel> {
    const channelKey = `${key} ${name}`;
    let channel = this.#channels.get(channelKey);
    if (channel === undefined) {
      const counter = await this.#ensure(
        { metric: `${key}_bytes`, interface: name },
        { title: `${name} ${key} bytes`, unit: 'B' },
      );
      const rate = await this.#ensure(
        { metric: `${key}_rate`, interface: name },
        {
          title: `${name} ${key}`,
          unit: 'B/s',
          deriveOp: 'counter_derivative',
          deriveFrom: [{ name: 'reset', stream: reset.streamId }, { stream: counter.streamId }],
        },
      );
      channel = { counter, rate };
      this.#channels.set(channelKey, channel);
    }
    return channel;
  }

  async #ensureTotals(names: readonly string[]): Promise<readonly HostStream[]> {
    if (names.length === 0) return [];
    const setKey = JSON.stringify(names);
    let totals = this.#totals.get(setKey);
    if (totals === undefined) {
      totals = await Promise.all(DIRECTIONS.map(({ key }) => this.#ensureTotal(key, names)));
      this.#totals.set(setKey, totals);
    }
    return totals;
  }

  #ensureTotal(key: 'rx' | 'tx', names: readonly string[]): Promise<HostStream> {
    return this.#ensure(
      { metric: `${key}_total`, interfaces: names },
      {
        title: `total ${key}`,
        unit: 'B/s',
        deriveOp: 'sum',
        deriveFrom: names.map((name) => this.#channels.get(`${key} ${name}`)!.rate.streamId),
      },
    );
  }

  async #ensure(
    queryTags: Tags,
    {
      title,
      unit,
      ...definition
    }: { readonly title: string; readonly unit: string } & Partial<StreamDefinition> & {
        readonly deriveFrom?: DeriveFrom | readonly DeriveFrom[];
      },
  ): Promise<HostStream> {
    const streamId = await this.#datastream.ensureStream(
      { ...this.tags, ...queryTags },
      {
        valueDownsamplers: VALUE_DOWNSAMPLERS,
        highestGranularity: Granularity.Seconds,
        ...definition,
        tags: { title, unit },
      },
    );
    this.#isBackprocessed = false;
    return { streamId, title, unit };
  }
}
