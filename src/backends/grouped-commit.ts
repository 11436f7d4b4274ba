import { assert } from '../model/assert.ts';
import { type Block, type Columns, sliceBlock } from '../model/block.ts';
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
  const { streamIds, granularity, startMs, untilMs, columns } = write;
  const timestamps = new Float64Array(streamIds.length).fill(startMs);
  const rows: Block = { timestamps, columns: columns as Columns };
  return streamIds.map((streamId, row) => {
    const end = columns['c']![row] === 0 ? row : row + 1;
    return { kind: 'advance', streamId, granularity, untilMs, block: sliceBlock(rows, row, end) };
  });
}
