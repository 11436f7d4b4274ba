import { assert } from '../model/assert.ts';
import { type Block, sliceBlock } from '../model/block.ts';
import { COUNT_LETTER } from '../model/value-letters.ts';
import {
  type AdvanceWrite,
  type BucketWrite,
  type Commit,
  type GroupedCommit,
  type LevelWrite,
  NO_ROW,
  type TickWrite,
  type Write,
} from './backend.ts';

/** The same commit without groups of streams and without gaps in ticks. It must have no level writes. */
export function withoutGroups(commit: GroupedCommit): Commit {
  const { expectGroups, writes, ...rest } = commit;
  return {
    ...rest,
    expect: [
      ...commit.expect,
      ...(expectGroups ?? []).flatMap(({ streamIds, version }) =>
        streamIds.map((streamId) => ({ streamId, version })),
      ),
    ],
    writes: (writes ?? []).flatMap((write): readonly Write[] => {
      assert(!isLevelWrite(write), 'the levels of this store do not advance');
      if (write.kind !== 'tick') return [write];
      const tick = withoutGaps(write);
      return tick.streamIds.length === 0 ? [] : [tick];
    }),
  };
}

export function isLevelWrite(write: Write | LevelWrite): write is LevelWrite {
  return write.kind === 'advance' || write.kind === 'bucket';
}

/** The tick without the streams that have no row in it. */
export function withoutGaps(tick: TickWrite): TickWrite {
  const { values, streamIds } = tick;
  if (!values.includes(NO_ROW)) return tick;
  return {
    ...tick,
    streamIds: streamIds.filter((_streamId, row) => values[row] !== NO_ROW),
    values: values.filter((value) => value !== NO_ROW),
  };
}

/** A bucket of many streams as an advance of each. */
export function advancesOf(write: BucketWrite): readonly AdvanceWrite[] {
  const { streamIds, granularity, startMs, untilMs } = write;
  const rows: Block = {
    timestamps: new Float64Array(streamIds.length).fill(startMs),
    columns: bucketColumns(write),
  };
  const counts = rows.columns[COUNT_LETTER]!;
  return streamIds.map((streamId, row) => {
    const end = counts[row] === 0 ? row : row + 1;
    return { kind: 'advance', streamId, granularity, untilMs, block: sliceBlock(rows, row, end) };
  });
}

/** The columns of a bucket with a cell for each stream. */
export function bucketColumns({
  streamIds,
  columns,
}: BucketWrite): Readonly<Record<string, Float64Array>> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, cells]) => [
      name,
      typeof cells === 'number' ? new Float64Array(streamIds.length).fill(cells) : cells,
    ]),
  );
}
