import assert from 'node:assert/strict';
import type { DataRun } from './data-steps.ts';
import { keptFrom } from './frozen.ts';
import type { Step } from './history.ts';
import { arrive, type RunStream, valueFor } from './run-stream.ts';
import { msOf } from './units.ts';

const LATE = { checkTimestamp: false } as const;

/** One datapoint for each of some streams, through both engines at once, while maintenance runs. */
export async function together(
  run: DataRun,
  { rows, isMaintained }: Step & { kind: 'together' },
): Promise<void> {
  const { datastream, other, streams, baseStreams, isRetaining } = run;
  const refused: { readonly stream: RunStream; readonly t: number }[] = [];
  const appends = rows.map(async ([back, value], index) => {
    const stream = streams[index]!;
    const t = stream.latest - back;
    const engine = index % 2 === 0 ? datastream : other;
    try {
      await engine.append(stream.id, valueFor(stream, value), msOf(t), LATE);
      arrive(stream, t, value);
    } catch (error) {
      if (!isRetaining || (error as { code?: unknown }).code !== 'INVALID_TIMESTAMP') throw error;
      refused.push({ stream, t });
    }
  });
  // Whether what derives from streams of which one expires still follows the others, nobody knows.
  if (isRetaining && streams.length > baseStreams.length) await Promise.all(appends);
  const maintenance = isMaintained
    ? [other.downsampleStreams(), datastream.backprocessStreams()]
    : [];
  await Promise.all([...appends, ...maintenance]);
  await run.noteExpiry();
  for (const { stream, t } of refused) {
    assert(t < keptFrom(stream.model, stream.model.highest), 'what has not expired is taken');
  }
}
