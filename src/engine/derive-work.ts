import type { Block } from '../model/block.ts';
import type { DerivedState } from './derived-state.ts';
import type { LiveStream } from './live-stream.ts';
import type { OperatorRun } from './operator-run.ts';
import { openBlockCursor, type SourceCursor } from './source-cursor.ts';
import type { StreamCache } from './stream-cache.ts';

/** What a batch has for one derived stream. */
export interface DeriveWork {
  readonly derived: LiveStream;
  readonly state: DerivedState;
  /** By source: what the batch adds to it; null for nothing. */
  readonly rows: readonly (Block | null)[];
}

const NO_ROWS: Block = { timestamps: new Float64Array(0), columns: {} };

/** Cursors over the rows, in the order of the sources. */
export function rowCursors(
  cache: StreamCache,
  run: OperatorRun,
  rows: DeriveWork['rows'],
): readonly SourceCursor[] {
  return run.derivation.sources.map((source, index) => {
    const stream = cache.get(source.streamId)!;
    return openBlockCursor(rows[index] ?? NO_ROWS, stream, run.arithmeticKind);
  });
}
