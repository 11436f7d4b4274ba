import type { LeaseOptions } from '../backend.ts';
import type { Connection, StoredDocument } from './connection.ts';
import { isDuplicateKey } from './mongodb-errors.ts';

export const LEASES_COLLECTION = 'leases';

interface Generation {
  readonly number: number;
  readonly owner: string;
  readonly untilMs: number;
}

const NONE: Generation = { number: 0, owner: '', untilMs: Number.NEGATIVE_INFINITY };

/**
 * Leases by the server's clock. Each change of a lease is a new generation: a document whose `_id` only one
 * taker can insert. The newest one counts; it is never removed, so that generations never count down.
 */
export class LeaseStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async acquire(subject: string, { owner, durationMs }: LeaseOptions): Promise<boolean> {
    const [newest, nowMs] = await this.#look(subject);
    if (newest.owner !== owner && newest.untilMs > nowMs) return false;
    return this.#put(subject, { number: newest.number + 1, owner, untilMs: nowMs + durationMs });
  }

  async renew(subject: string, { owner, durationMs }: LeaseOptions): Promise<boolean> {
    const [newest, nowMs] = await this.#look(subject);
    if (newest.owner !== owner || newest.untilMs <= nowMs) return false;
    return this.#put(subject, { number: newest.number + 1, owner, untilMs: nowMs + durationMs });
  }

  async release(subject: string, owner: string): Promise<void> {
    const newest = newestOf(await this.#generations(subject));
    if (newest.owner !== owner || newest.number === 0) return;
    await this.#put(subject, { number: newest.number + 1, owner: '', untilMs: 0 });
  }

  async remove(subjects: readonly string[]): Promise<void> {
    if (subjects.length === 0) return;
    await this.#connection.run('leases.remove', LEASES_COLLECTION, (leases) =>
      leases.deleteMany({ l: { $in: [...subjects] } }),
    );
  }

  async #look(subject: string): Promise<readonly [Generation, number]> {
    const nowMs = await this.#connection.nowMs();
    return [newestOf(await this.#generations(subject)), nowMs];
  }

  async #generations(subject: string): Promise<readonly Generation[]> {
    const documents = await this.#connection.run('leases.read', LEASES_COLLECTION, (leases) =>
      leases.find({ l: subject }).toArray(),
    );
    return documents.map(generationOf);
  }

  /** Whether this generation is the newest, and ours. */
  async #put(subject: string, generation: Generation): Promise<boolean> {
    const { number, owner, untilMs } = generation;
    const document = {
      _id: idOf(subject, number),
      l: subject,
      g: number,
      owner,
      until: new Date(untilMs),
    };
    const isInserted = await this.#connection.run(
      'leases.insert',
      LEASES_COLLECTION,
      async (leases) => {
        try {
          await leases.insertOne(document);
          return true;
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
        const present = await leases.findOne({ _id: document._id });
        return (
          owner !== '' && present?.['owner'] === owner && present['until'].getTime() === untilMs
        );
      },
    );
    if (!isInserted) return false;
    // Who was slow may have put a generation that others had, passed on, and removed.
    const all = await this.#generations(subject);
    const isNewest = newestOf(all).number === number;
    const old = isNewest ? all.filter((other) => other.number < number) : [generation];
    for (const { number: oldNumber } of old) await this.#removeOne(subject, oldNumber);
    return isNewest;
  }

  async #removeOne(subject: string, number: number): Promise<void> {
    await this.#connection.run('leases.clear', LEASES_COLLECTION, (leases) =>
      leases.deleteOne({ _id: idOf(subject, number) }),
    );
  }
}

function idOf(subject: string, number: number): string {
  return `${subject}:${number}`;
}

function generationOf(document: StoredDocument): Generation {
  const until = document['until'] as Date;
  return { number: document['g'], owner: document['owner'], untilMs: until.getTime() };
}

function newestOf(generations: readonly Generation[]): Generation {
  return generations.reduce((a, b) => (b.number > a.number ? b : a), NONE);
}
