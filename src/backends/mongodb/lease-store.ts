import type { LeaseOptions } from '../backend.ts';
import type { Connection } from './connection.ts';
import {
  type Generation,
  LEASES_COLLECTION,
  LeaseGenerations,
  leaseId,
} from './lease-generations.ts';
import { isDuplicateKey } from './mongodb-errors.ts';

const NONE: Generation = { number: 0, owner: '', untilMs: Number.NEGATIVE_INFINITY };

/**
 * Leases by the server's clock. Taking and renewing a lease is a new generation: a document whose `_id`
 * only one taker can insert. The newest one counts; it is never removed, so that generations never count
 * down. Older ones are removed in ascending order: who finds the one before its own still there knows that
 * nobody has passed it.
 */
export class LeaseStore {
  readonly #connection: Connection;
  readonly #generations: LeaseGenerations;
  /** Numbers of generations that were put here and not given back, by subject and owner. */
  readonly #held: Map<string, number> = new Map();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#generations = new LeaseGenerations(connection);
  }

  async acquire(subject: string, { owner, durationMs }: LeaseOptions): Promise<boolean> {
    const [seen, nowMs] = await this.#look(subject);
    const newest = newestOf(seen);
    if (newest.owner !== owner && newest.untilMs > nowMs) return false;
    return this.#put(subject, seen, { owner, untilMs: nowMs + durationMs });
  }

  async renew(subject: string, { owner, durationMs }: LeaseOptions): Promise<boolean> {
    const [seen, nowMs] = await this.#look(subject);
    const newest = newestOf(seen);
    if (newest.owner !== owner || newest.untilMs <= nowMs) return false;
    return this.#put(subject, seen, { owner, untilMs: nowMs + durationMs });
  }

  /** Ends the owner's generation where it stands: nobody else changes that document. */
  async release(subject: string, owner: string): Promise<void> {
    const number = this.#held.get(keyOf(subject, owner)) ?? (await this.#ownNumber(subject, owner));
    if (number === null) return;
    this.#held.delete(keyOf(subject, owner));
    await this.#connection.run('leases.release', LEASES_COLLECTION, (leases) =>
      leases.updateOne(
        { _id: leaseId(subject, number) },
        { $set: { owner: '', until: new Date(0) } },
      ),
    );
  }

  async #ownNumber(subject: string, owner: string): Promise<number | null> {
    const newest = newestOf(await this.#generations.read(subject));
    return newest.owner === owner && newest.number > 0 ? newest.number : null;
  }

  async remove(subjects: readonly string[]): Promise<void> {
    if (subjects.length === 0) return;
    await this.#connection.run('leases.remove', LEASES_COLLECTION, (leases) =>
      leases.deleteMany({ l: { $in: [...subjects] } }),
    );
  }

  async #look(subject: string): Promise<readonly [readonly Generation[], number]> {
    return Promise.all([this.#generations.read(subject), this.#connection.nowMs()]);
  }

  /** Whether the generation after those seen is the newest, and ours. */
  async #put(
    subject: string,
    seen: readonly Generation[],
    { owner, untilMs }: Pick<Generation, 'owner' | 'untilMs'>,
  ): Promise<boolean> {
    const number = newestOf(seen).number + 1;
    const document = {
      _id: leaseId(subject, number),
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
        return present?.['owner'] === owner && present['until'].getTime() === untilMs;
      },
    );
    if (!isInserted) {
      // Also where those seen are not all: the next try begins with what is there.
      await this.#generations.readAll(subject);
      return false;
    }
    const isNewest = await this.#isNewest(subject, number, seen);
    if (isNewest) this.#held.set(keyOf(subject, owner), number);
    return isNewest;
  }

  /** Who was slow may have put a generation that others had, passed on, and removed. */
  async #isNewest(subject: string, number: number, seen: readonly Generation[]): Promise<boolean> {
    const older = seen.map((generation) => generation.number).toSorted((a, b) => a - b);
    let isPreviousThere = false;
    for (const old of older) isPreviousThere = await this.#removeOne(subject, old);
    this.#generations.note(subject, number);
    if (isPreviousThere) return true;
    const all = await this.#generations.readAll(subject);
    const isNewest = newestOf(all).number === number;
    const rest = isNewest ? all.filter((other) => other.number < number) : [{ number }];
    for (const { number: old } of rest) await this.#removeOne(subject, old);
    return isNewest;
  }

  async #removeOne(subject: string, number: number): Promise<boolean> {
    const { deletedCount } = await this.#connection.run(
      'leases.clear',
      LEASES_COLLECTION,
      (leases) => leases.deleteOne({ _id: leaseId(subject, number) }),
    );
    return deletedCount > 0;
  }
}

function keyOf(subject: string, owner: string): string {
  return `${subject}:${owner}`;
}

function newestOf(generations: readonly Generation[]): Generation {
  return generations.reduce((a, b) => (b.number > a.number ? b : a), NONE);
}
