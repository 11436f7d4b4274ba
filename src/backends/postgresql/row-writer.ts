import { BlockCorrupt } from '../../exceptions/errors.ts';
import {
  type Block,
  concatBlocks,
  EMPTY_BLOCK,
  insertRows,
  rawBlock,
  replaceRows,
} from '../../model/block.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { StreamId } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { Write } from '../backend.ts';
import { assignLateRows } from '../blocks/late-rows.ts';
import { splitRows } from '../blocks/split-rows.ts';
import type { HeadChange, RowWriter, StreamHead } from '../sql/sql-commit.ts';
import type { SqlSession } from '../sql/sql-pool.ts';
import type {
  BlockRange,
  BlockTable,
  Edges,
  LevelPlace,
  NewBlock,
  StoredBlock,
} from './block-table.ts';
import { LevelChange, type LevelOperation, type Replacement } from './level-change.ts';
import type { TailLimits } from './tail-codec.ts';

type Heads = ReadonlyMap<StreamId, StreamHead>;

interface PlacedReplacement extends Replacement {
  readonly place: LevelPlace;
}

/** What a replacement does to the table. */
interface Rewrite {
  readonly removed: BlockRange | null;
  readonly blocks: readonly NewBlock[];
  /** None of the blocks takes the place of a stored one. */
  readonly areFresh: boolean;
}

/** Columns up to which rows count as narrow: a value, or the few states of a simple level. */
const NARROW_COLUMN_COUNT_MAX = 2;
/** Blocks held at once while late rows are worked in. */
const LATE_BLOCK_COUNT_MAX = 64;

/** Stores rows in tails and blocks, inside the transaction of a commit. */
export class BlockRowWriter implements RowWriter {
  readonly #blocks: BlockTable;
  readonly #rowCountTarget: number;
  readonly #limits: TailLimits;

  constructor(
    blocks: BlockTable,
    options: {
      /** Rows of a full block of raw values; one of many columns has half as many. */
      readonly rowCountTarget: number;
      readonly limits: TailLimits;
    },
  ) {
    this.#blocks = blocks;
    this.#rowCountTarget = options.rowCountTarget;
    this.#limits = options.limits;
  }

  async write(
    session: SqlSession,
    { writes, heads }: { readonly writes: readonly Write[]; readonly heads: Heads },
  ): Promise<readonly HeadChange[]> {
    const changes = this.#planned(writes, heads);
    let open = changes;
    while (open.length > 0) {
      await this.#writeRound(session, open);
      // Whether the next rows are in order depends on what a replacement has left.
      await this.#completeBounds(session, open);
      open = open.filter(({ operations }) => operations.length > 0);
    }
    return changes.filter(({ isRaw }) => isRaw).map(headChange);
  }

  async remove(session: SqlSession, heads: readonly StreamHead[]): Promise<void> {
    await this.#blocks.removeStreams(
      session,
      heads.map(({ ordinal }) => ordinal),
    );
  }

  /** Adds rows behind those of all blocks of their levels; one entry for each level. */
  async appendBehind(
    session: SqlSession,
    items: readonly { readonly place: LevelPlace; readonly rows: Block }[],
  ): Promise<void> {
    await this.#replaceAll(
      session,
      items.map(({ place, rows }) => ({ place, rows, range: null })),
    );
  }

  #planned(writes: readonly Write[], heads: Heads): readonly LevelChange[] {
    const changes = new Map<StreamId, (LevelChange | undefined)[]>();
    const add = (streamId: StreamId, asked: number | null, operation: LevelOperation): void => {
      const head = heads.get(streamId)!;
      const level = asked ?? head.rawLevel;
      const levels = changes.get(streamId) ?? [];
      changes.set(streamId, levels);
      levels[level] ??= new LevelChange(head, {
        level,
        location: this.#blocks.locate({ ordinal: head.ordinal, level }),
        tailSizeMaxBytes: this.#limits.sizeMaxBytes,
      });
      levels[level].add(operation);
    };
    for (const write of writes) {
      if (write.kind === 'tick') {
        for (const [index, streamId] of write.streamIds.entries()) {
          const values = write.values.subarray(index, index + 1);
          const rows = rawBlock(Float64Array.of(write.timestampMs), values);
          add(streamId, null, { kind: 'append', rows });
        }
        continue;
      }
      const { kind, streamId, granularity, block: rows } = write;
      const level = levelNumber(granularity.name);
      if (kind === 'append') add(streamId, level, { kind, rows });
      else add(streamId, level, { kind, rows, range: write.range });
    }
    return [...changes.values()].flat().filter((change) => change !== undefined);
  }

  /** One operation of each level: together they take few round trips, however many levels there are. */
  async #writeRound(session: SqlSession, changes: readonly LevelChange[]): Promise<void> {
    const replacements: PlacedReplacement[] = [];
    const lates: { place: LevelPlace; rows: Block }[] = [];
    for (const change of changes) {
      const { place } = change;
      const { replace, late } = change.next();
      if (replace !== null) replacements.push({ ...replace, place });
      if (late.timestamps.length > 0) lates.push({ place, rows: late });
    }
    await this.#replaceAll(session, replacements);
    for (const { place, rows } of lates) await this.#insertLate(session, place, rows);
  }

  async #replaceAll(
    session: SqlSession,
    replacements: readonly PlacedReplacement[],
  ): Promise<void> {
    if (replacements.length === 0) return;
    const edges = await this.#blocks.readEdges(
      session,
      replacements.map((item) => ({
        place: item.place,
        ...rangeOf(item),
        rowCountTarget: this.#targetFor(item.rows),
      })),
    );
    const rewrites = replacements.map((item, index) => this.#rewrite(item, edges[index]!));
    await this.#blocks.remove(
      session,
      rewrites.flatMap(({ removed }) => removed ?? []),
    );
    for (const areFresh of [false, true]) {
      const blocks = rewrites.filter((item) => item.areFresh === areFresh);
      await this.#blocks.write(
        session,
        blocks.flatMap((item) => item.blocks),
        { areFresh },
      );
    }
  }

  #rewrite(item: PlacedReplacement, { floor, last }: Edges): Rewrite {
    const { place, rows } = item;
    const range = rangeOf(item);
    const isAppend = last === null && (floor === null || floor.lastMs < range.startMs);
    const before = floor === null ? null : this.#kept(place, floor, { isAppend });
    const after = last === null ? null : this.#blocks.decode(place, last);
    const kept = concatBlocks([before ?? EMPTY_BLOCK, after ?? EMPTY_BLOCK]);
    // Rows behind all blocks may have the timestamp of the last row there.
    const content =
      item.range === null ? concatBlocks([kept, rows]) : replaceRows(kept, item.range, rows);
    const isFloorRewritten = floor !== null && before !== null;
    const isFloorReplaced = isFloorRewritten && content.timestamps[0] === floor.firstMs;
    const startMs = isFloorRewritten ? floor.firstMs + (isFloorReplaced ? 1 : 0) : range.startMs;
    const endMs = Math.max(range.endMs, startMs + 1);
    const hasRemoved = last !== null || (isFloorRewritten && !isFloorReplaced);
    return {
      removed: hasRemoved ? { place, startMs, endMs } : null,
      blocks: this.#chunks(place, content, { isAppend: isAppend || item.range === null }),
      areFresh: !isFloorReplaced,
    };
  }

  /**
   * The rows of the block before a change; null when it is left alone. One that does not decode is left
   * alone when nothing has to change in it: its rows are lost, but later ones need not be.
   */
  #kept(
    place: LevelPlace,
    floor: StoredBlock,
    { isAppend }: { readonly isAppend: boolean },
  ): Block | null {
    if (floor.rows === null) return null;
    try {
      return this.#blocks.decode(place, floor);
    } catch (error) {
      if (isAppend && error instanceof BlockCorrupt) return null;
      throw error;
    }
  }

  /** Full blocks where more will follow; else even ones, so that the next late row splits none again. */
  #chunks(
    place: LevelPlace,
    rows: Block,
    { isAppend }: { readonly isAppend: boolean },
  ): readonly NewBlock[] {
    const target = this.#targetFor(rows);
    const rowCount = rows.timestamps.length;
    if (rowCount === 0) return [];
    const isKept = !isAppend && rowCount <= target * 2;
    const size = isAppend ? target : Math.ceil(rowCount / Math.ceil(rowCount / target));
    const chunks = isKept ? [rows] : splitRows(rows, size);
    return chunks.map((chunk) => ({ place, rows: chunk }));
  }

  async #insertLate(session: SqlSession, place: LevelPlace, rows: Block): Promise<void> {
    const floors = await this.#blocks.readFloors(session, place, rows.timestamps);
    if (floors.length === 0) {
      await this.#blocks.write(session, this.#chunks(place, rows, { isAppend: true }), {
        areFresh: true,
      });
      return;
    }
    const assigned = assignLateRows(floors, rows);
    for (let from = 0; from < assigned.length; from += LATE_BLOCK_COUNT_MAX) {
      const slice = assigned.slice(from, from + LATE_BLOCK_COUNT_MAX);
      const firsts = Float64Array.from(slice, ({ index }) => floors[index]!);
      const stored = await this.#blocks.readBlocks(session, place, firsts);
      const removed: BlockRange[] = [];
      const blocks = slice.flatMap((late, index) => {
        const content = insertRows(this.#blocks.decode(place, stored[index]!), late.rows);
        const startMs = firsts[index]!;
        if (content.timestamps[0]! < startMs) removed.push({ place, startMs, endMs: startMs + 1 });
        return this.#chunks(place, content, { isAppend: false });
      });
      await this.#blocks.remove(session, removed);
      await this.#blocks.write(session, blocks, { areFresh: false });
    }
  }

  async #completeBounds(session: SqlSession, changes: readonly LevelChange[]): Promise<void> {
    const unknown = changes.filter(({ areBoundsUnknown }) => areBoundsUnknown);
    if (unknown.length === 0) return;
    const bounds = await this.#blocks.readBounds(
      session,
      unknown.map(({ place }) => place),
    );
    for (const [index, change] of unknown.entries()) change.setBounds(bounds[index]!);
  }

  #targetFor({ columns }: Block): number {
    const isNarrow = Object.keys(columns).length <= NARROW_COLUMN_COUNT_MAX;
    return isNarrow ? this.#rowCountTarget : Math.max(1, this.#rowCountTarget >> 1);
  }
}

function rangeOf({ range, rows }: Replacement): TimeRange {
  const [startMs] = rows.timestamps;
  return range ?? { startMs: startMs!, endMs: startMs! };
}

function headChange(change: LevelChange): HeadChange {
  const { place, earliestMs, latestMs, changedTail } = change;
  const bounds = { ordinal: place.ordinal, earliestMs, latestMs };
  return changedTail === null ? bounds : { ...bounds, tail: changedTail };
}
