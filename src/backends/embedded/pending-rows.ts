import { type Block, EMPTY_BLOCK } from '../../model/block.ts';
import { type Cohort, ColumnPart } from './cohort.ts';
import type { EncodedRows } from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import { TailRows } from './tail-rows.ts';
import type { View } from './view.ts';

/** The rows of a level that are in no block yet, in order. */
export interface PendingRows {
  readonly place: LevelPlace;
  readonly pieces: readonly (Block | EncodedRows)[];
}

/** Where a gathered column is to go. */
interface Slot {
  readonly pieces: (Block | EncodedRows)[];
  readonly position: number;
}

/** Columns of one cohort in the same ticks. */
interface Gathering {
  readonly ticks: ColumnPart;
  readonly indexes: number[];
  readonly slots: Slot[];
}

/** The levels among the places that have such rows. What cohorts have is gathered for all at once. */
export function pendingRows(view: View, places: readonly LevelPlace[]): readonly PendingRows[] {
  const gatherings: Map<Cohort, Map<string, Gathering>> = new Map();
  const result = places.flatMap((place): PendingRows[] => {
    const level = view.level(place);
    if (!level?.isPending) return [];
    const pieces: (Block | EncodedRows)[] = [];
    for (const part of level.tail?.parts ?? []) {
      if (part instanceof TailRows) pieces.push(part.block());
      else if (part instanceof ColumnPart) note(gatherings, pieces, part);
      else pieces.push(part);
    }
    const open = level.openTicks();
    if (open !== null) note(gatherings, pieces, open);
    return [{ place, pieces }];
  });
  for (const [cohort, byTicks] of gatherings) {
    for (const { ticks, indexes, slots } of byTicks.values()) {
      for (const [i, block] of cohort.gather(indexes, ticks).entries()) {
        slots[i]!.pieces[slots[i]!.position] = block;
      }
    }
  }
  return result.map(({ place, pieces }) => ({
    place,
    pieces: pieces.filter((piece) => 'bytes' in piece || piece.timestamps.length > 0),
  }));
}

function note(
  gatherings: Map<Cohort, Map<string, Gathering>>,
  pieces: (Block | EncodedRows)[],
  part: ColumnPart,
): void {
  let byTicks = gatherings.get(part.cohort);
  if (byTicks === undefined) {
    byTicks = new Map();
    gatherings.set(part.cohort, byTicks);
  }
  const key = `${part.from}-${part.to}`;
  let gathering = byTicks.get(key);
  if (gathering === undefined) {
    gathering = { ticks: part, indexes: [], slots: [] };
    byTicks.set(key, gathering);
  }
  gathering.indexes.push(part.index);
  gathering.slots.push({ pieces, position: pieces.length });
  pieces.push(EMPTY_BLOCK);
}
