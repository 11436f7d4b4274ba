import type PQueue from 'p-queue';
import {
  InconsistentStreamConfiguration,
  OutstandingDependenciesError,
  StreamAppendContended,
  StreamNotFound,
} from '../exceptions/errors.ts';
import { Granularity } from '../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { canonicalJson } from '../model/tags.ts';
import { ALL_TIME } from '../model/time-range.ts';
import { PAGE_ROW_COUNT_MAX, readBlocks } from './block-reader.ts';
import { holdsRows } from './block-subset.ts';
import { markerOf, unfinishedRecord } from './copy-marker.ts';
import { finishedRecord } from './copy-record.ts';
import type { CopyRoute, SelectedStream } from './copy-selection.ts';
import { pause } from './pause.ts';
import { StreamCopier } from './stream-copier.ts';

/** Limits the random pause before such a try: a source that is written to all the time has short rests only. */
const PAUSE_TRY_COUNT_MAX = 6;
/** How often what has changed in the source meanwhile is copied before it is given up. */
const TRY_COUNT_MAX = 50;

export interface FamilyTask {
  readonly streams: readonly SelectedStream[];
  readonly isSelected: (streamId: StreamId) => boolean;
  /** Version in the target of streams that this run has created. */
  readonly freshVersions: ReadonlyMap<StreamId, number | string>;
  /** Bounds how many streams are copied at once, over all families. */
  readonly queue: PQueue;
  readonly signal: AbortSignal;
  readonly onRows: (rowCount: number) => void;
}

/**
 * Copies streams that are tied by derivation. They become visible in the target together, as they were in
 * the source at one moment: a derived stream is what its sources give only if all are of the same one.
 */
export class CopyFamily {
  readonly #route: CopyRoute;
  readonly #task: FamilyTask;
  readonly #ids: readonly StreamId[];
  readonly #copiers: readonly StreamCopier[];

  constructor(route: CopyRoute, task: FamilyTask) {
    this.#route = route;
    this.#task = task;
    this.#ids = task.streams.map(({ streamId }) => streamId);
    this.#copiers = task.streams.map(({ streamId }) => {
      const freshVersion = task.freshVersions.get(streamId) ?? null;
      const { signal, onRows } = task;
      return new StreamCopier(route, { streamId, freshVersion, signal, onRows });
    });
  }

  get streamCount(): number {
    return this.#ids.length;
  }

  /** Copies the rows that the source has now. Nothing of the family is to be seen yet. */
  async copyRows(): Promise<void> {
    await this.#reopen();
    await this.#sync(await this.#readSources());
  }

  /**
   * Copies what the source has got since then, until there is nothing left, and makes the family visible.
   * @throws {StreamAppendContended} when the source, or the target, changes too fast to be followed.
   * @throws {StreamNotFound} when a stream is deleted from the source meanwhile.
   */
  async finish(): Promise<void> {
    let sources = await this.#readSources();
    for (let tryCount = 0; tryCount < TRY_COUNT_MAX; tryCount++) {
      await this.#sync(sources);
      const now = await this.#readSources();
      const isUnchanged = now.every(({ version }, i) => version === sources[i]!.version);
      if (isUnchanged && (await this.#show(sources))) return;
      if (tryCount > 0) await pause(Math.min(tryCount, PAUSE_TRY_COUNT_MAX));
      sources = isUnchanged ? await this.#readSources() : now;
    }
    throw new StreamAppendContended(
      `Stream ${this.#ids[0]} of ${this.#route.from.location}, or one tied to it by derivation, was changed ` +
        `on each of ${TRY_COUNT_MAX} tries to copy it: let its writers rest and copy again.`,
    );
  }

  async #sync(sources: readonly StreamSnapshot[]): Promise<void> {
    await this.#task.queue.addAll(
      this.#copiers.map((copier, i) => async () => {
        this.#task.signal.throwIfAborted();
        if (copier.targetVersion(sources[i]!) === null) await copier.sync(sources[i]!);
      }),
    );
  }

  /** Makes all of the family visible in one step; false when somebody has changed the target. */
  async #show(sources: readonly StreamSnapshot[]): Promise<boolean> {
    this.#task.signal.throwIfAborted();
    const byId = new Map(sources.map((source) => [source.record.id, source]));
    const context = {
      isKept: this.#task.isSelected,
      sourceOf: (streamId: StreamId) => byId.get(streamId),
    };
    const records = sources.map((source) => finishedRecord(this.#route, source, context));
    const outcome = await this.#route.to.commit({
      expect: this.#copiers.map((copier, i) => ({
        streamId: copier.streamId,
        version: copier.targetVersion(sources[i]!)!,
      })),
      update: deepestFirst(records),
    });
    if (outcome.isCommitted || (await this.#isShown(records))) return true;
    for (const copier of this.#copiers) copier.forget();
    return false;
  }

  /** Whether a commit whose answer got lost has done it. */
  async #isShown(records: readonly StreamRecord[]): Promise<boolean> {
    const targets = await this.#route.to.readStreams(this.#ids);
    return records.every((record, i) => {
      const target = targets[i];
      return target != null && canonicalJson(target.record) === canonicalJson(record);
    });
  }

  /** Takes copies that were finished once back to those that are under way. */
  async #reopen(): Promise<void> {
    const { from, to } = this.#route;
    const targets = (await to.readStreams(this.#ids)).filter((target) => target !== null);
    const finished = targets.filter(({ record }) => markerOf(record) === null);
    if (finished.length === 0) return;
    for (const { record } of finished) await this.#assertOurs(record);
    const marker = { from: from.location, revision: null, version: null };
    const outcome = await to.commit({
      expect: finished.map(({ record, version }) => ({ streamId: record.id, version })),
      update: deepestFirst(finished.map(({ record }) => record)).map((record) =>
        unfinishedRecord(record, marker),
      ),
    });
    if (!outcome.isCommitted) throw isChanged(outcome.conflicts[0] ?? this.#ids[0]!, to.location);
  }

  /** Nothing that only the target has may get lost. */
  async #assertOurs(record: StreamRecord): Promise<void> {
    const { from, to } = this.#route;
    const outside = record.dependents.find(({ streamId }) => !this.#task.isSelected(streamId));
    if (outside !== undefined) {
      throw new OutstandingDependenciesError(
        `Stream ${record.id} has changed since it was copied, and stream ${outside.streamId}, which derives ` +
          'from it, is not selected: copy both.',
      );
    }
    if (record.derivation !== null) return;
    const granularity = Granularity.byName(record.highestGranularity);
    const request = { streamId: record.id, granularity, range: ALL_TIME };
    // Pages of one size on both sides hold the same rows, as far as those are the same.
    const options = { firstRowCount: PAGE_ROW_COUNT_MAX };
    for await (const block of readBlocks(to, request, options)) {
      this.#task.signal.throwIfAborted();
      const range = { startMs: block.timestamps[0]!, endMs: block.timestamps.at(-1)! + 1 };
      if (await holdsRows(readBlocks(from, { ...request, range }, options), block)) continue;
      throw isChanged(record.id, to.location);
    }
  }

  /** In the order of the family, read in one step. */
  async #readSources(): Promise<readonly StreamSnapshot[]> {
    const snapshots = await this.#route.from.readStreams(this.#ids);
    return snapshots.map((snapshot, i) => {
      if (snapshot === null) throw new StreamNotFound(this.#ids[i]!);
      return snapshot;
    });
  }
}

/** Where a commit is not one step, no source may feed a stream that does not derive from it yet. */
function deepestFirst(records: readonly StreamRecord[]): readonly StreamRecord[] {
  return records.toSorted((a, b) => (b.derivation?.depth ?? 0) - (a.derivation?.depth ?? 0));
}

function isChanged(streamId: StreamId, location: string): InconsistentStreamConfiguration {
  return new InconsistentStreamConfiguration(
    `Stream ${streamId} of ${location} has data of its own since it was copied: delete it there to copy it anew.`,
  );
}
