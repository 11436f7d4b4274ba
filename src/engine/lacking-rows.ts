import { Fold } from '../downsamplers/fold.ts';
import type { LevelSchema } from '../downsamplers/level-schema.ts';
import { type Block, concatBlocks, sliceBlock } from '../model/block.ts';
import { bucketStartMs, type Granularity } from '../model/granularity.ts';

/** Every row of a level has these, whatever downsamplers the stream had. */
const COMMON_COLUMNS: ReadonlySet<string> = new Set('c ts ta tz ic il iu iq'.split(' '));

/**
 * Folds bucket states of which some were stored when the stream had other downsamplers, and could not be
 * computed anew since: a bucket knows what all of its rows know.
 */
export function foldLacking(schema: LevelSchema, granularity: Granularity, rows: Block): Block {
  const folded: Block[] = [];
  const { timestamps } = rows;
  for (let from = 0, to = 0; from < timestamps.length; from = to) {
    const startMs = bucketStartMs(timestamps[from]!, granularity);
    while (to < timestamps.length && bucketStartMs(timestamps[to]!, granularity) === startMs) to++;
    const bucket = sliceBlock(rows, from, to);
    const known = schema.columns.filter((name) => isKnown(bucket, name));
    const fold = new Fold(schema, granularity, known);
    fold.addStates(bucket);
    folded.push(fold.finish());
  }
  return concatBlocks(folded);
}

function isKnown({ columns }: Block, name: string): boolean {
  const column = columns[name];
  if (column === undefined) return false;
  return COMMON_COLUMNS.has(name) || !Array.from(column).some(isNothing);
}

function isNothing(state: unknown): boolean {
  return state === null || Number.isNaN(state);
}
