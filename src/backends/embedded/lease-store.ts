import type { StreamId } from '../../model/stream.ts';
import type { LeaseOptions } from '../backend.ts';
import { idKey } from './keys.ts';
import { hasProcessEnded, ownProcessMark } from './process-mark.ts';
import type { StoreFiles } from './store-files.ts';

interface Lease {
  readonly owner: string;
  /** As `ownProcessMark` gave it; empty where it is not known. */
  readonly processMark: string;
}

/** `[untilMs:f64]`, little-endian, before the owner's name. */
const HEADER_SIZE_BYTES = 8;
/** Between the owner's name and the mark of his process. */
const MARK_SEPARATOR = '\n';

/**
 * Who may maintain which stream, and until when, by the clock of whoever asks; no longer than his process runs, where
 * that can be told. Called inside a transaction.
 */
export class LeaseStore {
  readonly #files: StoreFiles;
  readonly #now: () => Date;
  readonly #mark = ownProcessMark();

  constructor(files: StoreFiles, { now }: { now: () => Date }) {
    this.#files = files;
    this.#now = now;
  }

  acquire(streamId: StreamId, options: LeaseOptions): boolean {
    const key = idKey(streamId);
    const lease = this.#held(key);
    const isFree = lease === null || lease.owner === options.owner;
    if (!isFree && !hasProcessEnded(lease.processMark)) return false;
    this.#put(key, options);
    return true;
  }

  renew(streamId: StreamId, options: LeaseOptions): boolean {
    const key = idKey(streamId);
    if (this.#held(key)?.owner !== options.owner) return false;
    this.#put(key, options);
    return true;
  }

  release(streamId: StreamId, owner: string): void {
    const key = idKey(streamId);
    if (this.#held(key)?.owner === owner) this.#files.leases.remove(key);
  }

  /** Forgets the lease, whoever has it. */
  remove(streamId: StreamId): void {
    this.#files.leases.remove(idKey(streamId));
  }

  /** The lease, unless it has run out. */
  #held(key: Uint8Array): Lease | null {
    const bytes = this.#files.leases.getBinary(key);
    if (bytes === undefined || bytes.length < HEADER_SIZE_BYTES) return null;
    const untilMs = bytes.readDoubleLE(0);
    if (untilMs <= this.#now().getTime()) return null;
    const text = bytes.toString('utf8', HEADER_SIZE_BYTES);
    const [owner = '', processMark = ''] = text.split(MARK_SEPARATOR);
    return { owner, processMark };
  }

  #put(key: Uint8Array, { owner, durationMs }: LeaseOptions): void {
    const text = this.#mark === '' ? owner : `${owner}${MARK_SEPARATOR}${this.#mark}`;
    const bytes = Buffer.allocUnsafe(HEADER_SIZE_BYTES + Buffer.byteLength(text));
    bytes.writeDoubleLE(this.#now().getTime() + durationMs, 0);
    bytes.write(text, HEADER_SIZE_BYTES);
    this.#files.leases.put(key, bytes);
  }
}
