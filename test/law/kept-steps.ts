import assert from 'node:assert/strict';
import type { Datastream } from '../../src/api/datastream.ts';
import { baseOf } from './data-steps.ts';
import { keptFrom } from './frozen.ts';
import type { Step } from './history.ts';
import type { RunStream } from './run-stream.ts';
import { msOf } from './units.ts';

const LATE = { checkTimestamp: false } as const;

/** Of steps that define streams otherwise: what of them cannot be computed anew stays as it is. */
const DEFINING_KINDS: readonly Step['kind'][] = ['levels', 'heartbeat', 'delete'];

interface KeepingRun {
  readonly datastream: Datastream;
  readonly streams: readonly RunStream[];
  readonly baseStreams: readonly RunStream[];
}

/** Whether a step changes nothing that has expired. One that the engine has to refuse is tried. */
export async function isKept(
  { datastream, streams, baseStreams }: KeepingRun,
  step: Step,
): Promise<boolean> {
  const expired = streams.filter(({ model }) => (model.expired?.size ?? 0) > 0);
  if (expired.length === 0) return true;
  if (DEFINING_KINDS.includes(step.kind)) return false;
  const touched = touchedBy(step, baseStreams);
  const refused = touched.find(({ stream: { model }, t }) => t < keptFrom(model, model.highest));
  if (refused === undefined) return true;
  const { id } = refused.stream;
  const range = { start: msOf(refused.t), end: msOf(refused.t + 1000) };
  for (const refusal of [
    () => datastream.append(id, null, msOf(refused.t), LATE),
    () => datastream.upsert(id, null, msOf(refused.t)),
    () => datastream.deleteData(id, range),
  ]) {
    await assert.rejects(refusal, { code: 'INVALID_TIMESTAMP' });
  }
  return false;
}

/** The streams that a step changes, each with a time before which it changes nothing. */
function touchedBy(
  step: Step,
  baseStreams: readonly RunStream[],
): readonly { readonly stream: RunStream; readonly t: number }[] {
  const behind = (pick: number, back: number): { stream: RunStream; t: number } => {
    const stream = baseOf(baseStreams, pick);
    return { stream, t: stream.latest - back };
  };
  switch (step.kind) {
    case 'append':
    case 'columns':
      return [behind(step.stream, 0)];
    case 'group':
      return [behind(step.stream % 4, 0)];
    case 'late':
      return [behind(step.stream, step.back)];
    case 'lateColumns':
      return [behind(step.stream, Math.max(0, ...step.rows.map(([back]) => back)))];
    case 'tick':
      return [0, 1, 2].map((pick) => behind(pick, 0));
    case 'multiple':
      return step.rows.map(([pick]) => behind(pick, 0));
    case 'together':
      return step.rows.map(([back], pick) => behind(pick, back));
    case 'replace':
      return [behind(step.stream, step.back)];
    case 'upsert':
      return step.rows.map(([pick, back]) => behind(pick, back));
    default:
      return [];
  }
}
