import { randomUUID } from 'node:crypto';
import type { EngineContext } from '../engine/context.ts';
import { depthOf } from '../engine/live-stream.ts';
import { Maintenance, type MaintenanceTask } from '../engine/maintenance.ts';
import type { Membership } from '../engine/membership.ts';
import { markStale } from '../engine/repair.ts';
import { isInShard } from '../engine/sharing.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import { instantMs } from '../model/timestamp.ts';
import { type ComputedLevels, computedDatapoints } from './computed-datapoints.ts';
import { describeStream } from './describe-stream.ts';
import {
  checkBackprocessOptions,
  checkDownsampleOptions,
  checkVerifyOptions,
} from './option-checks.ts';
import { selectSnapshots } from './streams.ts';
import { checkQuery } from './tag-checks.ts';
import type {
  AppendedDatapoint,
  BackprocessOptions,
  DownsampleOptions,
  MaintenanceProgress,
  VerifyOptions,
  VerifyReport,
} from './types.ts';
import { verifyStreams } from './verification.ts';

const DEFAULT_CONCURRENCY = 8;
/** Many streams are not maintained in fewer groups: other workers on the store find something to do, too. */
const GROUP_COUNT_MIN = 5;
/** Streams that share commits of maintenance, at most: bounds what they hold in memory together. */
const GROUP_SIZE_MAX = 256;

interface RunnerOptions {
  readonly membership: Membership;
  readonly leaseDurationMs: number;
  /** Is told of streams that a run has changed. */
  readonly onChanged: (ids: readonly StreamId[]) => void;
}

/** Runs maintenance over the streams that a caller selects, and verifies what it has computed. */
export class MaintenanceRunner {
  readonly #context: EngineContext;
  readonly #options: RunnerOptions;

  constructor(context: EngineContext, options: RunnerOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** As `Datastream.downsampleStreams`. */
  async downsample(options: DownsampleOptions): Promise<AppendedDatapoint[]> {
    checkDownsampleOptions(options);
    const { until, returnDatapoints = false, filterStream } = options;
    const untilMs = until === undefined ? this.#context.nowMs() : instantMs(until);
    const committed: ComputedLevels[] = [];
    await this.#maintain(options, {
      kind: 'levels',
      untilMs,
      isIncluded: (snapshot) =>
        filterStream?.(describeStream(snapshot, this.#context.backend.supports)) ?? true,
      onComputed: returnDatapoints
        ? (snapshot, computed) => committed.push({ snapshot, computed })
        : null,
    });
    const returned: AppendedDatapoint[] = [];
    for (const levels of committed) {
      for (const datapoint of await computedDatapoints(this.#context.backend, levels)) {
        returned.push(datapoint);
      }
    }
    return returned;
  }

  /** As `Datastream.backprocessStreams`. */
  async backprocess(options: BackprocessOptions): Promise<void> {
    checkBackprocessOptions(options);
    await this.#maintain(options, {
      kind: 'history',
      untilMs: this.#context.nowMs(),
      isIncluded: ({ record }) => record.stale.length > 0,
      onComputed: null,
    });
  }

  /** As `Datastream.verify`. */
  async verify(options: VerifyOptions): Promise<VerifyReport> {
    checkVerifyOptions(options);
    const { queryTags, repair: isRepairing = false, shard, signal } = options;
    const streams = await this.#select(queryTags, {
      isIncluded: ({ record }) => isOwn(record.id, shard),
    });
    const { counts, differences } = await verifyStreams(this.#context, streams, options);
    if (!isRepairing || differences.size === 0) return { ...counts, repairedCount: 0 };
    for (const [streamId, found] of differences) {
      await markStale(this.#context, streamId, found);
      this.#options.onChanged([streamId]);
    }
    await this.#maintain(
      { ...(signal && { signal }) },
      {
        kind: 'levels',
        untilMs: this.#context.nowMs(),
        isIncluded: ({ record }) => differences.has(record.id),
        onComputed: null,
      },
    );
    const repaired = streams.filter(({ streamId }) => differences.has(streamId));
    const after = await verifyStreams(this.#context, repaired, { ...(signal && { signal }) });
    const { differenceCount, staleRangeCount } = after.counts;
    const repairedCount = counts.differenceCount - differenceCount;
    return { ...counts, differenceCount, staleRangeCount, repairedCount };
  }

  async #maintain(
    options: BackprocessOptions,
    task: Pick<MaintenanceTask, 'kind' | 'untilMs' | 'onComputed'> & {
      isIncluded: (snapshot: StreamSnapshot) => boolean;
    },
  ): Promise<void> {
    const { signal, onProgress, concurrency, shard } = options;
    signal?.throwIfAborted();
    await this.#options.membership.settleAll();
    const retained: StreamId[] = [];
    const streams = await this.#select(options.queryTags, {
      isStaleOnly: task.kind === 'history',
      isIncluded: (snapshot) => {
        const { id, retention } = snapshot.record;
        if (!isOwn(id, shard) || !task.isIncluded(snapshot)) return false;
        if (task.kind === 'levels' && retention !== undefined) retained.push(id);
        return true;
      },
    });
    const maintenance = new Maintenance(this.#context, {
      ...task,
      streams,
      retained,
      ...this.#grouping(streams.length, concurrency),
      isOwn: (streamId: StreamId) => isOwn(streamId, shard),
      lease: { owner: randomUUID(), durationMs: this.#options.leaseDurationMs },
      signal,
      onProgress: (progress: MaintenanceProgress) => onProgress?.(progress),
      onChanged: this.#options.onChanged,
    });
    await maintenance.run();
  }

  /**
   * A store in this process is quickest when many streams share a commit; one on a server, when several
   * commits are under way.
   */
  #grouping(
    streamCount: number,
    concurrency: number | undefined,
  ): Pick<MaintenanceTask, 'groupSize' | 'groupCount'> {
    if (!this.#context.backend.supports.liveLevels) {
      return { groupSize: 1, groupCount: concurrency ?? DEFAULT_CONCURRENCY };
    }
    const part = Math.ceil(streamCount / GROUP_COUNT_MIN);
    const groupSize = Math.min(Math.max(part, DEFAULT_CONCURRENCY), GROUP_SIZE_MAX);
    return { groupSize: concurrency ?? groupSize, groupCount: 1 };
  }

  async #select(
    queryTags: Tags | undefined,
    {
      isIncluded,
      isStaleOnly = false,
    }: { isIncluded: (snapshot: StreamSnapshot) => boolean; isStaleOnly?: boolean },
  ): Promise<{ streamId: StreamId; depth: number }[]> {
    const selected: { streamId: StreamId; depth: number }[] = [];
    for await (const page of selectSnapshots(this.#context.backend, checkQuery(queryTags), {
      isStaleOnly,
    })) {
      for (const snapshot of page) {
        if (!isIncluded(snapshot)) continue;
        selected.push({ streamId: snapshot.record.id, depth: depthOf(snapshot.record) });
      }
    }
    return selected;
  }
}

function isOwn(streamId: StreamId, shard: BackprocessOptions['shard']): boolean {
  return shard === undefined || isInShard(streamId, shard);
}
