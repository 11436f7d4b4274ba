import { NotSupported } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import type { Block } from '../../model/block.ts';
import { rawGranularityOf } from '../../model/level-number.ts';
import type { StreamId, ValueType } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { AppendWrite, ReplaceWrite, TickWrite, Write } from '../backend.ts';
import {
  type HeadChange,
  type RowWriter,
  type StreamHead,
  streamIdsOf,
} from '../sql/sql-commit.ts';
import type { SqlSession } from '../sql/sql-pool.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { LevelCache } from './level-cache.ts';
import type { PendingChange } from './pending-change.ts';
import type { KnownStream } from './quick-append.ts';
import { type Bounds, boundsAfter, type Neighbour } from './row-bounds.ts';
import { checkInstant, checkNumbers, storedRows } from './stored-values.ts';
import { decodeTail, encodeTail } from './stream-tail.ts';

export interface RowWriterOptions {
  readonly schema: string;
  readonly queue: Pick<FlushQueue, 'add'>;
  readonly cache: Pick<LevelCache, 'forget' | 'remove'>;
  /** Finds stored rows; all that was committed before is there. */
  readonly neighbour: Neighbour;
}

/** A head as the writes so far leave it. */
interface Draft extends Bounds {
  readonly head: StreamHead;
  readonly valueType: ValueType;
  readonly rewriteCount: number;
  /** Where stored rows were changed. */
  readonly rewritten: TimeRange[];
  isWritten: boolean;
}

type Drafts = ReadonlyMap<StreamId, Draft>;

/** Turns the writes of a commit into changes for InfluxDB, in the commit's transaction. */
export class InfluxRowWriter implements RowWriter {
  readonly #options: RowWriterOptions;
  readonly #known = new Map<StreamId, KnownStream>();

  constructor(options: RowWriterOptions) {
    this.#options = options;
  }

  /** Streams that were written to by this process. */
  get known(): ReadonlyMap<StreamId, KnownStream> {
    return this.#known;
  }

  async write(
    session: SqlSession,
    {
      writes,
      heads,
    }: { readonly writes: readonly Write[]; readonly heads: ReadonlyMap<StreamId, StreamHead> },
  ): Promise<readonly HeadChange[]> {
    const drafts = await this.#drafts(session, writes, heads);
    const changes: PendingChange[] = [];
    for (const write of writes) {
      if (write.kind === 'tick') addTick(write, { drafts, changes });
      else if (write.kind === 'append') addAppend(write, { drafts, changes });
      else await this.#addReplace(write, { drafts, changes });
    }
    for (const { head, valueType } of drafts.values()) {
      const { streamId, ordinal, rawLevel } = head;
      // Ids and ordinals are never given away again, and these two never change.
      if (head.tail.length > 0) this.#known.set(streamId, { ordinal, rawLevel, valueType });
    }
    const written = [...drafts.values()].filter(({ isWritten }) => isWritten);
    await this.#options.cache.forget(
      session,
      written.map(({ head, rewritten }) => ({ ordinal: head.ordinal, ranges: rewritten })),
    );
    if (changes.length > 0) {
      const ordinals = written.map(({ head }) => head.ordinal);
      await this.#options.queue.add(session, { changes, ordinals });
    }
    return written.map(headChangeOf);
  }

  async remove(session: SqlSession, heads: readonly StreamHead[]): Promise<void> {
    for (const { streamId } of heads) this.#known.delete(streamId);
    const ordinals = heads.map(({ ordinal }) => ordinal);
    await this.#options.cache.remove(session, ordinals);
    const changes = heads
      .filter(({ tail }) => decodeTail(tail) !== null)
      .map(({ streamId }): PendingChange => ({ kind: 'drop', streamId }));
    if (changes.length > 0) await this.#options.queue.add(session, { changes, ordinals });
  }

  async #drafts(
    session: SqlSession,
    writes: readonly Write[],
    heads: ReadonlyMap<StreamId, StreamHead>,
  ): Promise<Drafts> {
    const named = [...new Set(writes.flatMap(streamIdsOf))].map((id) => heads.get(id)!);
    const tails = new Map(named.map((head) => [head, decodeTail(head.tail)]));
    const newcomers = named.filter((head) => tails.get(head) === null);
    const valueTypes = await this.#valueTypes(session, newcomers);
    return new Map(
      named.map((head): [StreamId, Draft] => {
        const tail = tails.get(head);
        const { streamId, earliestMs, latestMs, ordinal } = head;
        return [
          streamId,
          {
            head,
            valueType: tail?.valueType ?? valueTypes.get(ordinal)!,
            rewriteCount: tail?.rewriteCount ?? 0,
            rewritten: [],
            earliestMs,
            latestMs,
            isWritten: false,
          },
        ];
      }),
    );
  }

  async #valueTypes(
    session: SqlSession,
    heads: readonly StreamHead[],
  ): Promise<ReadonlyMap<number, ValueType>> {
    if (heads.length === 0) return new Map();
    const { rows } = await session.query<{ ordinal: string; value_type: ValueType }>(
      `SELECT ordinal, record::json->>'valueType' AS value_type
      FROM ${this.#options.schema}.streams WHERE ordinal = ANY($1::bigint[])`,
      [heads.map(({ ordinal }) => ordinal)],
    );
    return new Map(rows.map((row) => [Number(row.ordinal), row.value_type]));
  }

  async #addReplace(write: ReplaceWrite, target: Target): Promise<void> {
    const { streamId, range } = write;
    const draft = rawDraft(write, target.drafts);
    const block = storedRows(write.block, draft.valueType);
    if (!touches(draft, range)) {
      addFresh(draft, block, target.changes);
      return;
    }
    const earlier = target.changes.filter((change) => isOf(change, streamId));
    const bounds = await boundsAfter(draft, {
      streamId,
      range,
      block,
      earlier,
      neighbour: this.#options.neighbour,
    });
    // Nothing lies outside both: the server need not look for it there.
    const known = [draft.earliestMs!, draft.latestMs!, ...endsOf(block)];
    const clipped = {
      startMs: Math.max(range.startMs, Math.min(...known)),
      endMs: Math.min(range.endMs, Math.max(...known) + 1),
    };
    target.changes.push({ kind: 'replace', streamId, range: clipped, block });
    draft.rewritten.push(clipped);
    // Rows may come in order again where a gap was behind the rows that are left.
    const { latestMs } = bounds;
    if (latestMs !== null && latestMs < clipped.startMs) {
      draft.rewritten.push({ startMs: latestMs, endMs: clipped.startMs });
    }
    draft.isWritten = true;
    Object.assign(draft, bounds);
  }
}

interface Target {
  readonly drafts: Drafts;
  readonly changes: PendingChange[];
}

function addTick({ timestampMs, streamIds, values }: TickWrite, { drafts, changes }: Target): void {
  checkInstant(timestampMs);
  checkNumbers(values);
  const fresh: number[] = [];
  for (let index = 0; index < streamIds.length; index++) {
    const draft = drafts.get(streamIds[index]!)!;
    assert(draft.valueType === 'numeric', 'a tick is for numeric streams');
    if (draft.latestMs === null || timestampMs > draft.latestMs) {
      fresh.push(index);
      draft.earliestMs ??= timestampMs;
      draft.latestMs = timestampMs;
      draft.isWritten = true;
    } else {
      const block = {
        timestamps: Float64Array.of(timestampMs),
        columns: { v: values.slice(index, index + 1) },
      };
      addOver(draft, block, changes);
    }
  }
  if (fresh.length === streamIds.length) {
    changes.push({ kind: 'tick', timestampMs, streamIds, values });
  } else if (fresh.length > 0) {
    changes.push({
      kind: 'tick',
      timestampMs,
      streamIds: fresh.map((index) => streamIds[index]!),
      values: Float64Array.from(fresh, (index) => values[index]!),
    });
  }
}

function addAppend(write: AppendWrite, { drafts, changes }: Target): void {
  const draft = rawDraft(write, drafts);
  const block = storedRows(write.block, draft.valueType);
  if (draft.latestMs === null || block.timestamps[0]! > draft.latestMs) {
    addFresh(draft, block, changes);
  } else {
    addOver(draft, block, changes);
  }
}

/** Rows where none are. */
function addFresh(draft: Draft, block: Block, changes: PendingChange[]): void {
  const [firstMs] = endsOf(block);
  if (firstMs === undefined) return;
  changes.push({ kind: 'rows', streamId: draft.head.streamId, isFresh: true, block });
  // Buckets reach back before the first row: what was read of them is another bucket now.
  if (draft.earliestMs !== null && firstMs < draft.earliestMs) {
    draft.rewritten.push({ startMs: firstMs, endMs: draft.earliestMs });
  }
  extend(draft, block);
}

/** Rows beside or over those that are there. */
function addOver(draft: Draft, block: Block, changes: PendingChange[]): void {
  changes.push({ kind: 'rows', streamId: draft.head.streamId, isFresh: false, block });
  const [startMs = 0, lastMs = 0] = endsOf(block);
  draft.rewritten.push({ startMs, endMs: lastMs + 1 });
  extend(draft, block);
}

function extend(draft: Draft, block: Block): void {
  const [firstMs = 0, lastMs = 0] = endsOf(block);
  draft.earliestMs = Math.min(draft.earliestMs ?? firstMs, firstMs);
  draft.latestMs = Math.max(draft.latestMs ?? lastMs, lastMs);
  draft.isWritten = true;
}

function endsOf({ timestamps }: Block): readonly number[] {
  return timestamps.length === 0 ? [] : [timestamps[0]!, timestamps.at(-1)!];
}

function touches({ earliestMs, latestMs }: Bounds, { startMs, endMs }: TimeRange): boolean {
  return earliestMs !== null && startMs <= latestMs! && endMs > earliestMs;
}

function isOf(change: PendingChange, streamId: StreamId): boolean {
  return change.kind === 'tick'
    ? change.streamIds.includes(streamId)
    : change.streamId === streamId;
}

/** @throws {NotSupported} for rows of a level that the server computes. */
function rawDraft({ streamId, granularity }: AppendWrite | ReplaceWrite, drafts: Drafts): Draft {
  const draft = drafts.get(streamId)!;
  const raw = rawGranularityOf(draft.head.rawLevel);
  if (granularity.name !== raw.name) {
    throw new NotSupported(
      `Stream ${streamId} keeps rows by ${raw.name} alone: its ${granularity.name} are computed by the server.`,
    );
  }
  return draft;
}

function headChangeOf(draft: Draft): HeadChange {
  const { head, valueType, rewriteCount, rewritten, earliestMs, latestMs } = draft;
  const isRewritten = rewritten.length > 0;
  const tail = encodeTail({ valueType, rewriteCount: rewriteCount + Number(isRewritten) });
  const hasNewTail = isRewritten || head.tail.length === 0;
  return { ordinal: head.ordinal, earliestMs, latestMs, ...(hasNewTail ? { tail } : {}) };
}
