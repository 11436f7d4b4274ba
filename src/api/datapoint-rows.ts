import type { SequenceSource } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** Rows of one level, in the asked order. */
export interface DatapointRows extends SequenceSource<Datapoint> {
  columnBlocks(from: number, to: number): AsyncIterable<DatapointColumns>;
  /** Joins the blocks of a read; gives columns of no rows for none. */
  joinColumns(blocks: readonly DatapointColumns[]): DatapointColumns;
}
