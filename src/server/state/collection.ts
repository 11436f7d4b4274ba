import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ServiceError } from './service-error.ts';
import type { StateFiles, StateKey } from './state-files.ts';

/** Longer values are refused when they are stored, so that none is ever found: LMDB bounds its keys. */
const INDEXED_LENGTH_MAX = 500;

/** Anything with an id: a UUID, or a name that code chose. */
export interface StateRecord {
  readonly id: string;
}

/** How records are found by something else than their id. */
export interface IndexDefinition<R> {
  /** The values under which a record is found; none: it is not. */
  valuesOf(record: R): readonly string[];
  /** Says what is taken when a second record has the value; absent: several may have it. */
  takenMessage?(record: R): string;
}

export interface CollectionDefinition<R extends StateRecord, Index extends string = never> {
  readonly name: string;
  /** What one record is called in messages. */
  readonly noun: string;
  /** Version of the records that are written. */
  readonly version: number;
  readonly schema: z.ZodType<R>;
  readonly indexes: Readonly<Record<Index, IndexDefinition<R>>>;
  /** Makes a stored record of an older version one of this version. */
  upgrade?(stored: unknown, version: number): unknown;
}

/** Records of one kind, checked when they are stored and when they are read. Each call is atomic. */
export class Collection<R extends StateRecord, Index extends string = never> {
  readonly #files: StateFiles;
  readonly #definition: CollectionDefinition<R, Index>;

  constructor(files: StateFiles, definition: CollectionDefinition<R, Index>) {
    this.#files = files;
    this.#definition = definition;
  }

  /** Another text after each change of the collection, by any process; never one that stood here before. */
  get revision(): string {
    return (this.#files.get(this.#revisionKey) as string | undefined) ?? '';
  }

  /** Null when there is none. */
  get(id: string): R | null {
    if (id.length > INDEXED_LENGTH_MAX) return null;
    const stored = this.#files.get(this.#key(id));
    return stored === undefined ? null : this.#decode(id, stored);
  }

  /** @throws {ServiceError} NOT_FOUND */
  require(id: string): R {
    const record = this.get(id);
    if (record !== null) return record;
    throw new ServiceError('NOT_FOUND', `No ${this.#definition.noun} ${JSON.stringify(id)}.`);
  }

  /** The records that have the value, by id. */
  find(index: Index, value: string): readonly R[] {
    if (value.length > INDEXED_LENGTH_MAX) return [];
    return this.#files.read(() =>
      this.#files.keys(this.#indexKey(index, value)).map((key) => this.require(String(key.at(-1)))),
    );
  }

  /** The first of them, or null. */
  findOne(index: Index, value: string): R | null {
    return this.find(index, value)[0] ?? null;
  }

  /** All records, by id. */
  all(): readonly R[] {
    return this.#files
      .entries(['record', this.#definition.name])
      .map(({ key, value }) => this.#decode(String(key.at(-1)), value));
  }

  get isEmpty(): boolean {
    return this.#files.keys(['record', this.#definition.name], { limit: 1 }).length === 0;
  }

  /** @throws {ServiceError} ALREADY_EXISTS when the id, or a value that only one record may have, is taken. */
  insert(record: R): R {
    return this.#files.write(() => {
      if (this.get(record.id) !== null) {
        const { noun } = this.#definition;
        throw new ServiceError('ALREADY_EXISTS', `There is already a ${noun} ${record.id}.`);
      }
      return this.#replace(null, record);
    });
  }

  /** Stores what `change` makes of the record. @throws {ServiceError} NOT_FOUND {ServiceError} ALREADY_EXISTS */
  update(id: string, change: (record: R) => R): R {
    return this.#files.write(() => {
      const before = this.require(id);
      return this.#replace(before, change(before));
    });
  }

  /** Stores the record, whether there is one of its id or not. */
  put(record: R): R {
    return this.#files.write(() => this.#replace(this.get(record.id), record));
  }

  /** Whether there was one. */
  remove(id: string): boolean {
    return this.#files.write(() => {
      const before = this.get(id);
      if (before === null) return false;
      for (const key of this.#indexKeys(before)) this.#files.remove(key);
      this.#files.remove(this.#key(id));
      this.#noteChange();
      return true;
    });
  }

  #replace(before: R | null, after: R): R {
    const { name, version, schema } = this.#definition;
    const checked = schema.parse(after);
    if (before !== null && before.id !== checked.id) {
      throw new Error(`Broken invariant: the id of a record of ${name} does not change.`);
    }
    const indexKeys = this.#indexKeys(checked);
    for (const key of before === null ? [] : this.#indexKeys(before)) this.#files.remove(key);
    this.#assertFree(checked);
    for (const key of indexKeys) this.#files.put(key, 1);
    this.#files.put(this.#key(checked.id), { version, record: checked });
    this.#noteChange();
    return checked;
  }

  #assertFree(record: R): void {
    for (const [index, definition] of this.#indexEntries()) {
      if (definition.takenMessage === undefined) continue;
      for (const value of definition.valuesOf(record)) {
        if (this.#files.keys(this.#indexKey(index, value), { limit: 1 }).length > 0) {
          throw new ServiceError('ALREADY_EXISTS', definition.takenMessage(record), {
            field: index,
          });
        }
      }
    }
  }

  #noteChange(): void {
    // Not a number that grows: a transaction that fails would give one that another then gives again.
    this.#files.put(this.#revisionKey, randomUUID());
  }

  #decode(id: string, stored: unknown): R {
    const { name, noun, schema, upgrade, version } = this.#definition;
    const { version: storedVersion, record } = stored as { version: number; record: unknown };
    if (storedVersion > version) {
      throw new ServiceError(
        'STATE_FORMAT_UNSUPPORTED',
        `The ${noun} ${id} was stored by a newer version of the service.`,
      );
    }
    const current = storedVersion < version ? upgrade?.(record, storedVersion) : record;
    const parsed = schema.safeParse(current);
    if (parsed.success) return parsed.data;
    throw new ServiceError('STATE_UNREADABLE', `The ${noun} ${id} in ${name} does not decode.`, {
      cause: parsed.error,
    });
  }

  #key(id: string): StateKey {
    return ['record', this.#definition.name, id];
  }

  get #revisionKey(): StateKey {
    return ['revision', this.#definition.name];
  }

  #indexKey(index: string, value: string): StateKey {
    return ['index', this.#definition.name, index, value];
  }

  #indexKeys(record: R): readonly StateKey[] {
    return this.#indexEntries().flatMap(([index, definition]) =>
      definition.valuesOf(record).map((value) => {
        if (value.length > INDEXED_LENGTH_MAX) {
          throw new ServiceError(
            'INVALID_FIELD',
            `The ${index} of a ${this.#definition.noun} has at most ${INDEXED_LENGTH_MAX} characters.`,
            { field: index },
          );
        }
        return [...this.#indexKey(index, value), record.id];
      }),
    );
  }

  #indexEntries(): readonly [string, IndexDefinition<R>][] {
    return Object.entries<IndexDefinition<R>>(this.#definition.indexes);
  }
}
