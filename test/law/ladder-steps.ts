import fc from 'fast-check';
import type { Datastream } from '../../src/api/datastream.ts';
import { changeLevels, type LevelsStep, levelsStep } from './levels-step.ts';
import type { RunStream } from './run-stream.ts';
import { granularityOf } from './units.ts';

/** A stream gets other levels, or another heartbeat. */
export type LadderStep =
  | (LevelsStep & { readonly stream: number })
  | { readonly kind: 'heartbeat'; readonly stream: number; readonly seconds: number | null };

const pick = fc.nat({ max: 11 });

export const ladderStep: fc.Arbitrary<LadderStep> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.tuple(levelsStep, pick).map(([step, stream]) => ({ ...step, stream })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat' as const),
      // Mostly of the streams that tell what is held.
      stream: fc.oneof(fc.constantFrom(2, 3), pick),
      seconds: fc.option(
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 })),
      ),
    }),
  },
);

/** Does what the step says, where the stream can have it, and notes it for the model. */
export async function applyLadder(
  {
    datastream,
    streams,
  }: { readonly datastream: Datastream; readonly streams: readonly RunStream[] },
  step: LadderStep,
): Promise<void> {
  const { id, model } = streams[step.stream % streams.length]!;
  if (step.kind === 'heartbeat') {
    if (!model.isNumeric) return;
    await datastream.updateStream(id, { heartbeat: step.seconds });
    model.heartbeat = step.seconds ?? Number.POSITIVE_INFINITY;
    return;
  }
  if (!datastream.supports.extraLevels) return;
  const { timeZone: zone, levels } = model.extra;
  const { name: highest } = granularityOf(model.highest);
  const changed = await changeLevels(datastream, { id, highest, zone, levels }, step);
  model.extra = { timeZone: changed.zone, levels: changed.levels };
  model.hasOtherLevels = true;
}
