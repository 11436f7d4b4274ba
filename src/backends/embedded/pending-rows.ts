import type { Block } from '../../model/block.ts';
import { ColumnPart } from './cohort.ts';
import type { EncodedRows } from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import { TailRows } from './tail-rows.ts';
import type { View } from './view.ts';

/** The rows of a level that are in no block yet, in order. */
export interface PendingRows {
  readonly place: LevelPlace;
  /** None is empty. */
  readonly pieces: readonly (Block | EncodedRows)[];
}

/** Those of the levels among the places that have such rows. */
export function* pendingRows(view: View, places: readonly LevelPlace[]): Generator<PendingRows> {
  for (const place of places) if (view.level(place)?.isPending) yield pendingOf(view, place);
}

/** The rows of a level that are in no block yet; maybe none. */
export function pendingOf(view: View, place: LevelPlace): PendingRows {
  const level = view.level(place);
  const open = level?.openColumn() ?? null;
  const parts = [...(level?.tail?.parts ?? []), ...(open === null ? [] : [open])];
  const pieces = parts.map((part) =>
    part instanceof TailRows || part instanceof ColumnPart ? part.block() : part,
  );
  return { place, pieces };
}
