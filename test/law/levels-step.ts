import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Datastream } from '../../src/api/datastream.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { EXTRA_LEVELS, PLACES } from './setting.ts';

/** A stream gets other levels, maybe of another time zone. */
export interface LevelsStep {
  readonly kind: 'levels';
  readonly levels: readonly string[];
  readonly timeZone: string | null;
  /** Whether it is said which are added and dropped. */
  readonly isPartial: boolean;
  /** Whether it gets back at once what it had: the same levels, without what they had. */
  readonly isUndone: boolean;
}

export const levelsStep: fc.Arbitrary<LevelsStep> = fc.record({
  kind: fc.constant('levels' as const),
  levels: fc.subarray([...EXTRA_LEVELS], { maxLength: 6 }),
  timeZone: fc.option(fc.constantFrom(...PLACES.map(([timeZone]) => timeZone)), { freq: 2 }),
  isPartial: fc.boolean(),
  isUndone: fc.boolean(),
});

/** Of the levels those that are extra ones of such a stream. */
export function extraOf(
  levels: readonly string[],
  highest: string,
  timeZone: string,
): readonly string[] {
  const highestMs = Granularity.byName(highest).durationMs;
  return levels.filter((name) => {
    const { durationMs } = Granularity.byName(name);
    const isFixed = timeZone === 'UTC' && Granularity.values.some((level) => level.name === name);
    return durationMs > highestMs && !isFixed;
  });
}

interface ZonedStream {
  readonly id: string;
  readonly highest: string;
  readonly zone: string;
  /** In the order in which they came. */
  readonly levels: readonly string[];
}

/** Changes the levels of the stream, unless one that stays is of another zone. Gives what it has then. */
export async function changeLevels(
  datastream: Datastream,
  stream: ZonedStream,
  step: LevelsStep,
): Promise<Pick<ZonedStream, 'zone' | 'levels'>> {
  const changed = await change(datastream, stream, step);
  if (!step.isUndone || changed.zone !== stream.zone) return changed;
  const back = { ...step, levels: stream.levels, timeZone: null };
  return change(datastream, { ...stream, ...changed }, back);
}

async function change(
  datastream: Datastream,
  stream: ZonedStream,
  { levels, timeZone, isPartial }: LevelsStep,
): Promise<Pick<ZonedStream, 'zone' | 'levels'>> {
  const zone = timeZone ?? stream.zone;
  const wanted = extraOf(levels, stream.highest, zone);
  const kept = stream.levels.filter((level) => wanted.includes(level));
  const update = datastream.updateStream(stream.id, {
    levels: isPartial
      ? {
          add: wanted.filter((level) => !kept.includes(level)),
          drop: stream.levels.filter((level) => !kept.includes(level)),
        }
      : wanted,
    ...(timeZone !== null && { timeZone }),
  });
  if (zone !== stream.zone && kept.length > 0) {
    await assert.rejects(update, { code: 'UNSUPPORTED_GRANULARITY' });
    return stream;
  }
  await update;
  return { zone, levels: [...kept, ...wanted.filter((level) => !kept.includes(level))] };
}
