import type { BucketWrite, LevelWrite, PageRequest } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { SideBySideFold } from '../downsamplers/side-by-side-fold.ts';
import { type Block, VALUE_COLUMN } from '../model/block.ts';
import { bucketEndMs, Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';
import { PAGE_ROW_COUNT_MAX } from './block-reader.ts';
import type { EngineContext } from './context.ts';
import type { Lease } from './lease.ts';
import { type LevelWork, prepareLevels } from './level-maintenance.ts';
import { type LevelTemplate, rawRangeOf, templateOf } from './level-template.ts';
import { commitChanges, type PreparedChange } from './prepared-change.ts';

/** Fewer streams are computed one after the other: what they share is less than what it takes to share it. */
const STREAM_COUNT_MIN = 8;
/** Streams whose rows are in memory at once, at most. */
const PAGE_COUNT_MAX = 32;
/** Rows that one commit is computed from, about. */
const ROW_COUNT_MAX = 1_000_000;
const RAW_COLUMNS: readonly string[] = Object.freeze([VALUE_COLUMN]);

/** A stream whose levels are to be computed. */
export interface LevelMember {
  readonly lease: Lease;
  readonly snapshot: StreamSnapshot;
  readonly work: Omit<LevelWork, 'lease'>;
}

/**
 * Computes the levels of streams that tick together: their rows have the same instants, and so their levels
 * the same buckets. One of them is computed as every stream is; the values of the others are folded side by
 * side, and each bucket is written to all of them at once.
 * @returns those for which that is not possible, or was not done: they are as they were.
 */
export async function maintainAlike(
  context: EngineContext,
  members: readonly LevelMember[],
): Promise<readonly LevelMember[]> {
  if (!context.backend.supports.liveLevels) return members;
  // Of others, a level is not made of the rows of the one before it.
  const left = members.filter(({ snapshot }) => !ladderOf(snapshot.record).isChain);
  const chains = members.filter(({ snapshot }) => ladderOf(snapshot.record).isChain);
  for (const part of alikeParts(chains)) {
    left.push(...(part.length < STREAM_COUNT_MIN ? part : await maintainPart(context, part)));
  }
  return left;
}

/** Streams with the same kind of levels, which are as far, and with their first and last row at the same time. */
function alikeParts(members: readonly LevelMember[]): readonly (readonly LevelMember[])[] {
  const parts = new Map<string, LevelMember[]>();
  for (const member of members) {
    const key = kindOf(member);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [member]);
    else part.push(member);
  }
  return [...parts.values()];
}

function kindOf({ snapshot: { record, earliestMs, latestMs } }: LevelMember): string {
  const { valueType, valueTypeOptions, valueDownsamplers, highestGranularity, levels } = record;
  const { timeZone, extraLevels, expiry } = record;
  return JSON.stringify([
    [earliestMs, latestMs, highestGranularity, timeZone, extraLevels],
    [valueType, valueTypeOptions, valueDownsamplers],
    levels,
    expiry,
  ]);
}

async function maintainPart(
  context: EngineContext,
  part: readonly LevelMember[],
): Promise<readonly LevelMember[]> {
  const [first] = part as [LevelMember];
  // Whoever wants the buckets gets them stream by stream.
  if (first.work.needsRows !== false) return part;
  if (!SideBySideFold.supports(LevelSchema.of(first.snapshot.record))) return part;
  const change = await prepareLevels(context, first.snapshot, {
    ...first.work,
    lease: first.lease,
  });
  const range = change === null ? null : rawRangeOf(change);
  if (change === null || range === null) return part;
  const { block, rest } = await context.backend.readPage(rawRequest(first, range));
  const template = rest === null ? templateOf(change, block.timestamps) : null;
  const streamCountMax = Math.floor(ROW_COUNT_MAX / block.timestamps.length);
  if (template === null || streamCountMax < STREAM_COUNT_MIN) return part;
  const left: LevelMember[] = [];
  for (let from = 0; from < part.length; from += streamCountMax) {
    const some = part.slice(from, from + streamCountMax);
    left.push(...(await new AlikeLevels(context, { template, range }).maintain(some)));
  }
  return left;
}

function rawRequest({ snapshot: { record } }: LevelMember, range: TimeRange): PageRequest {
  return {
    streamId: record.id,
    granularity: Granularity.byName(record.highestGranularity),
    range,
    rowCountMax: PAGE_ROW_COUNT_MAX,
    columns: RAW_COLUMNS,
  };
}

/** Some streams whose levels are like a template. */
class AlikeLevels {
  readonly #context: EngineContext;
  readonly #template: LevelTemplate;
  readonly #range: TimeRange;
  readonly #alike: LevelMember[] = [];
  readonly #others: LevelMember[] = [];

  /** @param options.range of the raw rows. */
  constructor(
    context: EngineContext,
    { template, range }: { template: LevelTemplate; range: TimeRange },
  ) {
    this.#context = context;
    this.#template = template;
    this.#range = range;
  }

  /** Gives those that are left as they were. */
  async maintain(members: readonly LevelMember[]): Promise<readonly LevelMember[]> {
    const schema = LevelSchema.of(members[0]!.snapshot.record);
    const fold = new SideBySideFold(schema, this.#template.levels, members.length);
    await this.#addAll(fold, members);
    if (this.#alike.length < STREAM_COUNT_MIN) return members;
    fold.finish();
    for (const { lease } of this.#alike) await lease.keep();
    const changes = this.#alike.map((member) => this.#changeOf(member));
    const { isCommitted } = await commitChanges(this.#context, changes, this.#writes(fold));
    return isCommitted ? this.#others : members;
  }

  /** For more and more streams at a time, as long as that takes no noticeable part of their leases. */
  async #addAll(fold: SideBySideFold, members: readonly LevelMember[]): Promise<void> {
    let pageCount = 1;
    for (let from = 0; from < members.length; ) {
      const some = members.slice(from, from + pageCount);
      from += pageCount;
      pageCount = Math.min(pageCount * 2, PAGE_COUNT_MAX);
      const [{ lease, work }] = some as [LevelMember];
      work.signal?.throwIfAborted();
      if (lease.isDue) {
        await lease.keep();
        pageCount = 1;
      }
      await this.#add(fold, some);
    }
  }

  async #add(fold: SideBySideFold, members: readonly LevelMember[]): Promise<void> {
    const requests = members.map((member) => rawRequest(member, this.#range));
    await this.#context.backend.visitPages(requests, ({ block, rest }, index) => {
      const hasSameTimes = rest === null && areSame(block.timestamps, this.#template.timestamps);
      const isAlike = hasSameTimes && addRows(fold, block);
      (isAlike ? this.#alike : this.#others).push(members[index]!);
    });
  }

  #changeOf({ snapshot, work }: LevelMember): PreparedChange {
    const { computed, changed, timestamps } = this.#template;
    return {
      snapshot,
      expect: [{ streamId: snapshot.record.id, revision: snapshot.revision }],
      update: null,
      writes: [],
      changed,
      inputRowCount: timestamps.length,
      isComplete: true,
      onCommitted: (marked) => work.onCommit({ snapshot, computed, marked }),
    };
  }

  /** Each bucket of each level, from the finest level on. */
  #writes(fold: SideBySideFold): readonly LevelWrite[] {
    const streamIds = Object.freeze(this.#alike.map(({ snapshot }) => snapshot.record.id));
    const writes: BucketWrite[] = [];
    for (const [level, { granularity, block, untilMs }] of this.#template.advances.entries()) {
      const { timestamps } = block;
      const template = Object.entries(block.columns) as [string, Float64Array][];
      for (const [bucket, startMs] of timestamps.entries()) {
        const columns: Record<string, Float64Array | number> = {};
        for (const [name, cells] of template) {
          columns[name] = fold.states(level, bucket, name) ?? cells[bucket]!;
        }
        const isLast = bucket === timestamps.length - 1;
        writes.push({
          kind: 'bucket',
          granularity,
          streamIds,
          startMs,
          untilMs: isLast ? untilMs : bucketEndMs(startMs, granularity),
          columns,
        });
      }
    }
    return writes;
  }
}

/** Rows that were read together have the same memory. */
function areSame(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  if (a.buffer === b.buffer && a.byteOffset === b.byteOffset) return true;
  for (let row = 0; row < a.length; row++) if (a[row] !== b[row]) return false;
  return true;
}

function addRows(fold: SideBySideFold, { columns }: Block): boolean {
  const values = columns[VALUE_COLUMN];
  return values instanceof Float64Array && fold.add(values);
}
