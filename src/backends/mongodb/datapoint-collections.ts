import { Granularity, type GranularityName } from '../../model/granularity.ts';
import { levelLabel, levelNumber } from '../../model/level-number.ts';
import { UTC } from '../../model/time-zone.ts';
import type { Connection } from './connection.ts';
import { ensureIndex, type Keys } from './indexes.ts';

const PREFIX = 'datapoints.';

/** Where every store keeps blocks: by granularity. */
const FIXED: ReadonlyMap<GranularityName, string> = new Map(
  Granularity.values.map(({ name }) => [name, `${PREFIX}${name}`]),
);

/** A directory of blocks is answered from this index alone. */
const BLOCK_KEYS: Keys = { m: 1, t: 1, e: 1, n: 1, s: 1, _id: 1 };

/** Only blocks without a stamp have the field. */
const PENDING_KEYS: Keys = { p: 1 };

/** The collection of a granularity. All time zones but UTC share one: a stream has a single zone. */
export function datapointsCollection(granularity: GranularityName): string {
  const fixed = FIXED.get(granularity);
  if (fixed !== undefined) return fixed;
  const kind = levelLabel(levelNumber(granularity));
  const { timeZone } = Granularity.byName(granularity);
  return timeZone === UTC ? `${PREFIX}${kind}` : `${PREFIX}zoned.${kind}`;
}

/** Collections of blocks: those that are made with the store, and others when there are blocks for them. */
export class DatapointCollections {
  readonly #connection: Connection;
  readonly #location: string;
  /** Others that are known to have their indexes. */
  readonly #prepared = new Set<string>();

  constructor(connection: Connection, location: string) {
    this.#connection = connection;
    this.#location = location;
  }

  /** Makes what an empty database lacks. */
  async prepareFixed(): Promise<void> {
    for (const collection of FIXED.values()) await this.#prepare(collection);
  }

  /** To be called before the first block of a granularity is written. */
  async prepare(granularity: GranularityName): Promise<void> {
    if (FIXED.has(granularity)) return;
    const collection = datapointsCollection(granularity);
    if (this.#prepared.has(collection)) return;
    await this.#prepare(collection);
    this.#prepared.add(collection);
  }

  /** All that there are, whoever made them. */
  async names(): Promise<readonly string[]> {
    const names = await this.#connection.collectionNames();
    return names.filter((name) => name.startsWith(PREFIX));
  }

  async #prepare(collection: string): Promise<void> {
    const place = { collection, location: this.#location };
    await ensureIndex(this.#connection, { ...place, name: 'blocks', keys: BLOCK_KEYS });
    await ensureIndex(this.#connection, {
      ...place,
      name: 'pending',
      keys: PENDING_KEYS,
      isSparse: true,
    });
  }
}
