import type { StreamId } from '../../model/stream.ts';
import type { LeaseOptions } from '../backend.ts';
import { idKey } from './keys.ts';
import type { StoreFiles } from './store-files.ts';

interface Lease {
  readonly owner: string;
  readonly untilMs: number;
}

/** `[untilMs:f64]`, little-endian, before the owner's name. */
const HEADER_SIZE_BYTES = 8;

/**
 * Who may maintain which stream, and until when, by the clock of whoever asks. Called inside a
 * transaction.
 */
export class LeaseStore {
  readonly #files: StoreFiles;
  readonly #now: () => Date;

  constructor(files: StoreFiles, { now }: { now: () => Date }) {
    this.#files = files;
    this.#now = now;
  }

  acquire(streamId: StreamId, { owner, durationMs }: LeaseOptions): boolean {
    const lease = this.#held(streamId);
    if (lease !== null && lease.owner !== owner) return false;
    this.#put(streamId, { owner, durationMs });
    return true;
  }

  renew(streamId: StreamId, { owner, durationMs }: LeaseOptions): boolean {
    if (this.#held(streamId)?.owner !== owner) return false;
    this.#put(streamId, { owner, durationMs });
    return true;
  }

  release(streamId: StreamId, owner: string): void {
    if (this.#held(streamId)?.owner === owner) this.remove(streamId);
  }

  /** Forgets the lease, whoever has it. */
  remove(streamId: StreamId): void {
    this.#files.leases.remove(idKey(streamId));
  }

  /** The lease, unless it has run out. */
  #held(streamId: StreamId): Lease | null {
    const bytes = this.#files.leases.getBinary(idKey(streamId));
    if (bytes === undefined || bytes.length < HEADER_SIZE_BYTES) return null;
    const untilMs = bytes.readDoubleLE(0);
    if (untilMs <= this.#now().getTime()) return null;
    return { owner: bytes.toString('utf8', HEADER_SIZE_BYTES), untilMs };
  }

  #put(streamId: StreamId, { owner, durationMs }: LeaseOptions): void {
    const name = Buffer.from(owner);
    const bytes = new Uint8Array(HEADER_SIZE_BYTES + name.length);
    new DataView(bytes.buffer).setFloat64(0, this.#now().getTime() + durationMs, true);
    bytes.set(name, HEADER_SIZE_BYTES);
    this.#files.leases.put(idKey(streamId), bytes);
  }
}
