import PQueue from 'p-queue';
import { Granularity } from '../model/granularity.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import { ALL_TIME } from '../model/time-range.ts';
import { PAGE_ROW_COUNT_MAX, readBlocks } from './block-reader.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import { CopyFamily } from './copy-family.ts';
import { markerFor, unfinishedQuery, unfinishedRecord } from './copy-marker.ts';
import { type TargetState, targetStateOf } from './copy-record.ts';
import { type CopyRoute, familiesOf, type SelectedStream } from './copy-selection.ts';
import { haveSameRows } from './same-rows.ts';

/** Records that one call reads or one commit creates, at most. */
const STREAM_COUNT_MAX = 256;

const ROW_OPTIONS = { firstRowCount: PAGE_ROW_COUNT_MAX };

export interface CopyTask {
  /** In creation order, with the sources of each derived one. */
  readonly streams: readonly SelectedStream[];
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: CopyCount) => void;
}

interface CopyCount {
  readonly streamCount: number;
  readonly streamCountTotal: number;
  readonly rowCount: number;
}

/** Brings the selected streams of one store into another, where a run that was broken off goes on. */
export class Copy {
  readonly #route: CopyRoute;
  readonly #task: CopyTask;
  readonly #selected: ReadonlySet<StreamId>;
  readonly #states = new Map<StreamId, TargetState>();
  readonly #freshVersions = new Map<StreamId, number | string>();
  #streamCount = 0;
  #rowCount = 0;

  constructor(route: CopyRoute, task: CopyTask) {
    this.#route = route;
    this.#task = task;
    this.#selected = new Set(task.streams.map(({ streamId }) => streamId));
  }

  /** @throws the signal's reason when it aborts; what was committed until then stays. */
  async run(): Promise<{ readonly copiedCount: number; readonly rowCount: number }> {
    await this.#lookAtTarget();
    await this.#lookAtRows();
    await this.#dropLost();
    await this.#create();
    const families = familiesOf(this.#task.streams);
    const open = families.filter((family) =>
      family.some(({ streamId }) => this.#states.get(streamId) !== 'finished'),
    );
    const copiedCount = open.reduce((count, family) => count + family.length, 0);
    this.#streamCount = this.#task.streams.length - copiedCount;
    this.#report();
    await this.#copyFamilies(open);
    return { copiedCount, rowCount: this.#rowCount };
  }

  /** Nothing is written before all of the target is found to be free, or ours. */
  async #lookAtTarget(): Promise<void> {
    for (const ids of this.#chunks(this.#task.streams)) await this.#look(ids);
  }

  async #look(ids: readonly StreamId[]): Promise<void> {
    const isSelected = (streamId: StreamId): boolean => this.#selected.has(streamId);
    const sources = await this.#route.from.readStreams(ids);
    const targets = await this.#route.to.readStreams(ids);
    for (const [i, source] of sources.entries()) {
      // Deleted meanwhile: whoever copies it will find out.
      if (source === null) continue;
      const state = targetStateOf(this.#route, source, targets[i]!, isSelected);
      this.#states.set(ids[i]!, state);
    }
  }

  /**
   * Late rows can change neither the record nor the extent of a stream, so that only its rows tell whether
   * what looks finished is. Those of a derived stream follow from those of its sources.
   */
  async #lookAtRows(): Promise<void> {
    const queue = new PQueue({ concurrency: this.#task.concurrency });
    for (const ids of this.#chunks(this.#task.streams)) {
      const finished = ids.filter((streamId) => this.#states.get(streamId) === 'finished');
      const sources = await this.#route.from.readStreams(finished);
      await queue.addAll(
        sources.map((source) => async () => {
          if (source === null || source.record.derivation !== null) return;
          if (!(await this.#hasSameRows(source))) this.#states.set(source.record.id, 'behind');
        }),
      );
    }
  }

  async #hasSameRows({ record }: StreamSnapshot): Promise<boolean> {
    const granularity = Granularity.byName(record.highestGranularity);
    const request = { streamId: record.id, granularity, range: ALL_TIME };
    return haveSameRows(
      readBlocks(this.#route.from, request, ROW_OPTIONS),
      readBlocks(this.#route.to, request, ROW_OPTIONS),
      this.#task.signal,
    );
  }

  /** Removes copies that were begun of streams that the source does not have any more. */
  async #dropLost(): Promise<void> {
    const { from, to } = this.#route;
    const tags = unfinishedQuery(from.location);
    let afterOrdinal: number | undefined;
    for (;;) {
      const begun: readonly StreamSnapshot[] = await to.queryStreams({
        tags,
        limit: STREAM_COUNT_MAX,
        ...(afterOrdinal !== undefined && { afterOrdinal }),
      });
      if (begun.length === 0) return;
      const sources = await from.readStreams(begun.map(({ record }) => record.id));
      const lost = begun.filter((_, i) => sources[i] === null);
      if (lost.length > 0) {
        await to.commit({
          expect: lost.map(({ record, version }) => ({ streamId: record.id, version })),
          delete: lost.map(({ record }) => record.id),
        });
      }
      afterOrdinal = begun.at(-1)!.ordinal;
    }
  }

  /** Creates what is absent, before any data: so creation order is that of the source. */
  async #create(): Promise<void> {
    for (const ids of this.#chunks(this.#task.streams)) {
      await commitOrRetry({
        what: `streams of ${this.#route.to.location}`,
        attempt: async () => {
          const absent = ids.filter((streamId) => this.#states.get(streamId) === 'absent');
          if (absent.length === 0 || (await this.#createStreams(absent))) return 'done';
          // A commit whose answer got lost has created them, or another copy has.
          await this.#look(absent);
          return 'conflict';
        },
      });
    }
  }

  async #createStreams(ids: readonly StreamId[]): Promise<boolean> {
    const { from, to } = this.#route;
    const sources = (await from.readStreams(ids)).filter((source) => source !== null);
    const outcome = await to.commit({
      expect: [],
      create: sources.map((source) => ({
        record: unfinishedRecord(source.record, markerFor(from.location, source)),
      })),
    });
    if (!outcome.isCommitted) return false;
    for (const { record } of sources) this.#freshVersions.set(record.id, outcome.version);
    return true;
  }

  /**
   * All rows first, and then family by family what has changed since: so the copy is of one short time, and
   * a run that is broken off before leaves nothing that the next one would have to take for finished.
   */
  async #copyFamilies(families: readonly (readonly SelectedStream[])[]): Promise<void> {
    const { concurrency, signal } = this.#task;
    const failure = new AbortController();
    const task = {
      isSelected: (streamId: StreamId) => this.#selected.has(streamId),
      freshVersions: this.#freshVersions,
      queue: new PQueue({ concurrency }),
      signal: signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]),
      onRows: (rowCount: number) => {
        this.#rowCount += rowCount;
        this.#report();
      },
    };
    const copies = families.map((streams) => new CopyFamily(this.#route, { ...task, streams }));
    const forEachCopy = async (work: (copy: CopyFamily) => Promise<void>): Promise<void> => {
      const queue = new PQueue({ concurrency });
      for (const copy of copies) {
        await queue.onSizeLessThan(concurrency);
        if (task.signal.aborted) break;
        // The first failure ends the others at their next step; it is the one to report.
        void queue.add(() => work(copy).catch((error: unknown) => failure.abort(error)));
      }
      await queue.onIdle();
      await task.queue.onIdle();
      signal?.throwIfAborted();
      failure.signal.throwIfAborted();
    };
    await forEachCopy(async (copy) => {
      await copy.copyRows();
      this.#streamCount += copy.streamCount;
      this.#report();
    });
    await forEachCopy((copy) => copy.finish());
  }

  *#chunks(streams: readonly SelectedStream[]): Generator<readonly StreamId[]> {
    for (let from = 0; from < streams.length; from += STREAM_COUNT_MAX) {
      this.#task.signal?.throwIfAborted();
      yield streams.slice(from, from + STREAM_COUNT_MAX).map(({ streamId }) => streamId);
    }
  }

  #report(): void {
    this.#task.onProgress({
      streamCount: this.#streamCount,
      streamCountTotal: this.#task.streams.length,
      rowCount: this.#rowCount,
    });
  }
}
