import type { Connection, StoredDocument } from './connection.ts';
import { groupBy } from './group-by.ts';

export const LEASES_COLLECTION = 'leases';

export interface Generation {
  readonly number: number;
  readonly owner: string;
  readonly untilMs: number;
}

export function leaseId(subject: string, number: number): string {
  return `${subject}:${number}`;
}

/** Finds the generations of a lease, also where only a lookup by `_id` is quick. */
export class LeaseGenerations {
  readonly #connection: Connection;
  /** By subject: numbers that were there, as far as is known. Read in one scan, kept up as hints. */
  #hints: Promise<Map<string, readonly number[]>> | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that were there when they were last seen, as they are now; all of them where one is gone. */
  async read(subject: string): Promise<readonly Generation[]> {
    if (!this.#connection.hasIdLookupOnly) return this.readAll(subject);
    this.#hints ??= this.#scan();
    const hints = await this.#hints.catch((error: unknown) => {
      this.#hints = null;
      throw error;
    });
    const numbers = hints.get(subject) ?? [];
    const known = await Promise.all(numbers.map((number) => this.#one(subject, number)));
    const found = known.filter((generation) => generation !== null);
    return found.length === numbers.length ? found : this.readAll(subject);
  }

  /** All of them, whatever it costs. */
  async readAll(subject: string): Promise<readonly Generation[]> {
    const documents = await this.#connection.run('leases.read', LEASES_COLLECTION, (leases) =>
      leases.find({ l: subject }).toArray(),
    );
    const all = documents.map(generationOf);
    this.#note(
      subject,
      all.map(({ number }) => number),
    );
    return all;
  }

  /** Remembers that one generation is left. */
  note(subject: string, number: number): void {
    this.#note(subject, [number]);
  }

  #note(subject: string, numbers: readonly number[]): void {
    this.#hints?.then(
      (hints) => hints.set(subject, numbers),
      () => {},
    );
  }

  async #one(subject: string, number: number): Promise<Generation | null> {
    const document = await this.#connection.run('leases.one', LEASES_COLLECTION, (leases) =>
      leases.findOne({ _id: leaseId(subject, number) }),
    );
    return document === null ? null : generationOf(document);
  }

  async #scan(): Promise<Map<string, readonly number[]>> {
    const documents = await this.#connection.run('leases.scan', LEASES_COLLECTION, (leases) =>
      leases.find({}, { projection: { l: 1, g: 1 } }).toArray(),
    );
    const groups = groupBy(documents, (document) => document['l'] as string);
    return new Map(
      [...groups].map(([subject, group]) => [subject, group.map((document) => document['g'])]),
    );
  }
}

function generationOf(document: StoredDocument): Generation {
  const until = document['until'] as Date;
  return { number: document['g'], owner: document['owner'], untilMs: until.getTime() };
}
