import type { TickWrite, Write } from '../backends/backend.ts';
import type { StreamId } from '../model/stream.ts';
import type { StagedStream } from './staged-stream.ts';

/** Streams with one row at the same instant are written as a tick from this many on. */
const TICK_STREAM_COUNT_MIN = 4;

/** Adds the writes of what a batch does to streams one by one. */
export function addStagedWrites(
  writes: Write[],
  staged: ReadonlyMap<StreamId, StagedStream>,
): void {
  if (staged.size < TICK_STREAM_COUNT_MIN) {
    for (const stream of staged.values()) stream.addWrites(writes);
    return;
  }
  const byInstant = new Map<number, StagedStream[]>();
  for (const stream of staged.values()) {
    const instantMs = stream.singleFloatRowMs();
    if (instantMs === null) {
      stream.addWrites(writes);
      continue;
    }
    const group = byInstant.get(instantMs);
    if (group === undefined) byInstant.set(instantMs, [stream]);
    else group.push(stream);
  }
  for (const [timestampMs, group] of byInstant) {
    if (group.length < TICK_STREAM_COUNT_MIN) {
      for (const stream of group) stream.addWrites(writes);
    } else {
      writes.push(tickOf(timestampMs, group));
    }
  }
}

function tickOf(timestampMs: number, group: readonly StagedStream[]): TickWrite {
  return {
    kind: 'tick',
    timestampMs,
    streamIds: group.map(({ stream }) => stream.streamId),
    values: Float64Array.from(group, (staged) => staged.singleFloat()),
  };
}
