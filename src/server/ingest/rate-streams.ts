import type { Datastream } from '../../api/datastream.ts';
import type { StreamDefinition } from '../../api/types.ts';
import { DatastreamException } from '../../exceptions/errors.ts';
import type { Tags } from '../../model/tags.ts';
import { definitionFor, type NewStreamOptions } from './new-streams.ts';
import { SERIES_TAG } from './series.ts';
import type { Target } from './targets.ts';

/**
 * Sees to it that a counter has a stream of its rates, and the stream of its resets that rates need. Both have the
 * tags of the counter, with `reset(…)` and `rate(…)` about its series.
 * @returns ids of those that are new, and why the store has no such streams; null when they are there.
 */
export async function ensureRates(
  datastream: Datastream,
  { rows, stream }: Target,
  options: NewStreamOptions,
): Promise<{
  readonly createdIds: readonly string[];
  readonly refusal: DatastreamException | null;
}> {
  const { series } = rows;
  const createdIds: string[] = [];
  const definition = definitionFor(datastream, rows, options);
  const ensure = async (
    what: 'reset' | 'rate',
    derivation: Partial<StreamDefinition>,
  ): Promise<string> => {
    const query: Tags = { [SERIES_TAG]: `${what}(${String(series.query?.[SERIES_TAG])})` };
    const tags = { ...definition.tags, ...query };
    for (;;) {
      // Looked up first: it is there nearly always.
      const present = await datastream.findStreams(query).at(0);
      if (present !== undefined) return present.id;
      const id = await datastream.createStream(query, { ...definition, tags, ...derivation });
      // Null: somebody else was faster.
      if (id === null) continue;
      createdIds.push(id);
      return id;
    }
  };
  try {
    const reset = await ensure('reset', {
      deriveFrom: stream.id,
      deriveOp: 'counter_reset',
      valueType: 'nominal',
      // What every store has of streams that are no numbers.
      valueDownsamplers: ['count'],
    });
    await ensure('rate', {
      deriveFrom: [{ name: 'reset', stream: reset }, { stream: stream.id }],
      deriveOp: 'counter_derivative',
    });
    return { createdIds, refusal: null };
  } catch (error) {
    if (error instanceof DatastreamException) return { createdIds, refusal: error };
    throw error;
  }
}
