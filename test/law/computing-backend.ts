import type {
  Commit,
  CommitOutcome,
  Page,
  PageRequest,
  Write,
} from '../../src/backends/backend.ts';
import type { BackendManifest } from '../../src/backends/manifest.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { pageOf } from '../../src/backends/page.ts';
import { Fold } from '../../src/downsamplers/fold.ts';
import { LevelSchema } from '../../src/downsamplers/level-schema.ts';
import { type Block, rawBlock, sliceBlock } from '../../src/model/block.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { ALL_TIME } from '../../src/model/time-range.ts';

/**
 * A store in memory that differs from the plain one in all that a manifest can say about levels and rows:
 * equal timestamps overwrite, levels are folded when they are read, and there are fewer downsamplers.
 */
export class ComputingBackend extends MemoryBackend {
  override readonly supports: BackendManifest = {
    ...new MemoryBackend().supports,
    equalTimestamps: false,
    groupValues: false,
    highAccuracy: false,
    levels: 'computed',
    liveLevels: false,
    valueDownsamplers: [
      'mean',
      'sum',
      'min',
      'max',
      'sum_squares',
      'std_dev',
      'count',
      'range',
      'variance',
    ],
    timeDownsamplers: ['mean'],
  };

  protected override async _commit(commit: Commit): Promise<CommitOutcome> {
    const writes = await Promise.all(
      (commit.writes ?? []).map((write) => this.#withoutTicks(write)),
    );
    return super._commit({ ...commit, writes: writes.flat().flatMap(overwriting) });
  }

  async #withoutTicks(write: Write): Promise<readonly Write[]> {
    if (write.kind !== 'tick') return [write];
    const snapshots = await this._readStreams(write.streamIds);
    return write.streamIds.flatMap((streamId, row): readonly Write[] => {
      const name = snapshots[row]?.record.highestGranularity;
      if (name === undefined) return [{ ...write, streamIds: [streamId] }];
      const block = rawBlock(Float64Array.of(write.timestampMs), write.values.slice(row, row + 1));
      return [{ kind: 'append', streamId, granularity: Granularity.byName(name), block }];
    });
  }

  protected override async _readPage(request: PageRequest): Promise<Page> {
    const { streamId, granularity } = request;
    const [snapshot] = await this._readStreams([streamId]);
    const highest = snapshot?.record.highestGranularity;
    if (!snapshot || granularity.name === highest) return super._readPage(request);
    const raw = { streamId, granularity: Granularity.byName(highest!), range: ALL_TIME };
    const { block } = await super._readPage({ ...raw, rowCountMax: Number.MAX_SAFE_INTEGER });
    const fold = new Fold(LevelSchema.of(snapshot.record), granularity);
    fold.addRaw(block);
    return pageOf(withoutTimes(fold.finish()), request);
  }
}

/** What is stored of the times in a bucket is not there for this store's one downsampler of them. */
function withoutTimes({ timestamps, columns }: Block): Block {
  const { ts, ta, tz, ic, il, iu, iq, ...values } = columns;
  return { timestamps, columns: values };
}

/** The same write, each row in the place of what has its timestamp. */
function overwriting(write: Write): readonly Write[] {
  if (write.kind !== 'append') return [write];
  return Array.from(write.block.timestamps, (startMs, row) => ({
    ...write,
    kind: 'replace',
    range: { startMs, endMs: startMs + 1 },
    block: sliceBlock(write.block, row, row + 1),
  }));
}
