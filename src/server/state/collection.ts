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
  /** Whether the collection remembers which records changed lately (`changesSince`). */
  readonly isFollowed?: boolean;
  /** Makes a stored record of an older version one of this version. */
  upgrade?(stored: unknown, version: number): unknown;
}

/** Changes that a followed collection remembers. */
const CHANGE_COUNT_MAX = 10_000;

/** A state of a collection. Unlike the number, the text never stands for two of them. */
interface Revision {
  readonly changeCount: number;
  /** Random: a transaction that fails would give a number that another then gives again. */
  readonly mark: string;
}

const FIRST_REVISION: Revision = { changeCount: 0, mark: '' };

/** What changed, and what to ask with the next time. */
export interface Changes {
  /** Of records that came, changed or went, some perhaps several times. */
  readonly ids: readonly string[];
  readonly revision: string;
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
    return revisionText(this.#revision);
  }

  /**
   * What changed after the revision, by any process; null when that is not known any more, and everything has
   * to be read again. Only of followed collections.
   */
  changesSince(revision: string): Changes | null {
    const now = this.revision;
    if (now === revision) return { ids: [], revision };
    return this.#files.read(() => {
      const changeCount = Number(revision.split(' ', 1)[0]);
      const last = this.#files.get(this.#changeKey(changeCount)) as Change | undefined;
      if (last === undefined || revisionText({ ...last, changeCount }) !== revision) return null;
      const after = this.#changeKey(changeCount);
      const changes = this.#files.entries(['change', this.#definition.name], { after });
      return { ids: changes.map(({ value }) => (value as Change).id), revision: this.revision };
    });
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
    return this.#files.read(() => this.#idsOf(index, value).map((id) => this.require(id)));
  }

  /** How many records have the value. */
  count(index: Index, value: string): number {
    if (value.length > INDEXED_LENGTH_MAX) return 0;
    return this.#files.read(() => this.#idsOf(index, value).length);
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
      this.#noteChange(id);
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
    for (const key of indexKeys) this.#files.put(key, checked.id);
    this.#files.put(this.#key(checked.id), { version, record: checked });
    this.#noteChange(checked.id);
    return checked;
  }

  #assertFree(record: R): void {
    for (const [index, definition] of this.#indexEntries()) {
      if (definition.takenMessage === undefined) continue;
      for (const value of definition.valuesOf(record)) {
        if (this.#idsOf(index, value).length > 0) {
          throw new ServiceError('ALREADY_EXISTS', definition.takenMessage(record), {
            field: index,
          });
        }
      }
    }
  }

  #noteChange(id: string): void {
    const { name, isFollowed = false } = this.#definition;
    const changeCount = this.#revision.changeCount + 1;
    const mark = randomUUID();
    this.#files.put(['revision', name], { changeCount, mark } satisfies Revision);
    if (!isFollowed) return;
    this.#files.put(this.#changeKey(changeCount), { id, mark } satisfies Change);
    this.#files.remove(this.#changeKey(changeCount - CHANGE_COUNT_MAX));
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

  get #revision(): Revision {
    const stored = this.#files.get(['revision', this.#definition.name]);
    return (stored as Revision | undefined) ?? FIRST_REVISION;
  }

  #changeKey(changeCount: number): StateKey {
    return ['change', this.#definition.name, changeCount];
  }

  #idsOf(index: Index, value: string): readonly string[] {
    const key = this.#indexKey(index, value);
    if (!this.#isUnique(index)) return this.#files.keys(key).map((found) => String(found.at(-1)));
    const id = this.#files.get(key);
    return id === undefined ? [] : [String(id)];
  }

  #isUnique(index: Index): boolean {
    return this.#definition.indexes[index].takenMessage !== undefined;
  }

  #indexKey(index: Index, value: string): StateKey {
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
        const key = this.#indexKey(index, value);
        return definition.takenMessage === undefined ? [...key, record.id] : key;
      }),
    );
  }

  #indexEntries(): readonly [Index, IndexDefinition<R>][] {
    return Object.entries(this.#definition.indexes) as [Index, IndexDefinition<R>][];
  }
}

/** The record that a change made one of, and the mark of the revision that it led to. */
interface Change {
  readonly id: string;
  readonly mark: string;
}

function revisionText({ changeCount, mark }: Revision): string {
  return `${changeCount} ${mark}`;
}
