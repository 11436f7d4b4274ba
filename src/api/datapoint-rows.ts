import type { SequenceSource } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** Rows of one level, in the asked order. */
export interface DatapointRows extends SequenceSource<Datapoint> {
  /** All at once, in arrays of their own. */
  columns(from: number, to: number): Promise<DatapointColumns>;
  /** Block by block. The arrays may share memory with the store. */
  columnBlocks(from: number, to: number): AsyncIterable<DatapointColumns>;
}
