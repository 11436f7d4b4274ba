import type { Datastream } from '../../src/api/datastream.ts';
import { lowerGranularities } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';

const BASE_MS = Date.UTC(2000, 0, 1, 12);

export interface Size {
  readonly streamCount: number;
  readonly pointCount: number;
  /** Each of them the sum of two neighbouring streams, over the data that is there. */
  readonly derivedCount: number;
}

/** Fills an empty store with streams `0`, `1`, … of one datapoint a second, nothing of it maintained. */
export async function fill(datastream: Datastream, size: Size): Promise<void> {
  const ids: StreamId[] = [];
  const timestamps = Float64Array.from({ length: size.pointCount }, (_, i) => BASE_MS + i * 1000);
  for (let index = 0; index < size.streamCount; index++) {
    const id = await ensure(datastream, `${index}`);
    // Quarters: sums are exact, in whatever order they are added.
    const values = Float64Array.from(timestamps, (_, i) => ((i * (index + 7)) % 1009) / 4);
    await datastream.appendColumns(id, { timestamps, values });
    ids.push(id);
  }
  for (let index = 0; index < size.derivedCount; index++) {
    const deriveFrom = [ids[index]!, ids[index + 1]!];
    await ensure(datastream, `sum ${index}`, { deriveOp: 'sum', deriveFrom });
  }
}

async function ensure(
  datastream: Datastream,
  name: string,
  derivation: { deriveOp?: string; deriveFrom?: readonly StreamId[] } = {},
): Promise<StreamId> {
  return datastream.ensureStream(
    { name },
    {
      valueDownsamplers: ['mean', 'min', 'max', 'std_dev'],
      highestGranularity: 'seconds',
      ...derivation,
    },
  );
}

/** Says how far each stream is maintained, by its name. */
export async function progressOf(datastream: Datastream): Promise<ReadonlyMap<string, string>> {
  const progress = new Map<string, string>();
  for await (const { tags, downsampledUntil, pendingBackprocess } of datastream.findStreams()) {
    progress.set(String(tags['name']), JSON.stringify({ downsampledUntil, pendingBackprocess }));
  }
  return progress;
}

/** Sums up what each level of each stream holds, by their names. */
export async function totalsOf(datastream: Datastream): Promise<ReadonlyMap<string, string>> {
  const totals = new Map<string, string>();
  for await (const { id, tags, highestGranularity } of datastream.findStreams()) {
    const levels = lowerGranularities(highestGranularity.name).map(async (granularity) => {
      const { timestamps, v = {} } = await datastream
        .getData(id, granularity, { start: BASE_MS - 86_400_000 })
        .columns();
      const letters = Object.entries(v).map(([letter, column]) => [
        letter,
        (column as Float64Array).reduce((sum, value) => sum + value, 0),
      ]);
      const total = JSON.stringify([timestamps.length, timestamps[0], Object.fromEntries(letters)]);
      totals.set(`${tags['name']} ${granularity.name}`, total);
    });
    await Promise.all(levels);
  }
  return totals;
}
