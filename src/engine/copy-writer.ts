import type { AppendWrite, Backend, ReplaceWrite } from '../backends/backend.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';

/** Rows that one commit takes, about: bounds memory, and the work lost by a kill. */
const ROW_COUNT_MAX = 16_384;
/** Small pieces that one commit takes at most. */
const WRITE_COUNT_MAX = 32;

/** The target's stream is no longer as it was read: look again before going on. */
export class TargetChanged extends Error {}

/** Gathers the writes of one stream into commits that hold only while nobody else touches the stream. */
export class CopyWriter {
  readonly #to: Backend;
  readonly #streamId: StreamId;
  readonly #onRows: (rowCount: number) => void;
  #version: number | string;
  #writes: (AppendWrite | ReplaceWrite)[] = [];
  #rowCount = 0;
  #update: StreamRecord | null = null;

  constructor(to: Backend, target: StreamSnapshot, onRows: (rowCount: number) => void) {
    this.#to = to;
    this.#streamId = target.record.id;
    this.#version = target.version;
    this.#onRows = onRows;
  }

  /** Version of the stream after the last commit. */
  get version(): number | string {
    return this.#version;
  }

  /** Puts the record into the next commit. */
  update(record: StreamRecord): void {
    this.#update = record;
  }

  /** @throws {TargetChanged} */
  async add(write: AppendWrite | ReplaceWrite): Promise<void> {
    this.#writes.push(write);
    this.#rowCount += write.block.timestamps.length;
    if (this.#rowCount >= ROW_COUNT_MAX || this.#writes.length >= WRITE_COUNT_MAX) {
      await this.flush();
    }
  }

  /** @throws {TargetChanged} */
  async flush(): Promise<void> {
    if (this.#writes.length === 0 && this.#update === null) return;
    const outcome = await this.#to.commit({
      expect: [{ streamId: this.#streamId, version: this.#version }],
      ...(this.#update !== null && { update: [this.#update] }),
      writes: this.#writes,
    });
    if (!outcome.isCommitted) throw new TargetChanged();
    this.#version = outcome.version;
    this.#onRows(this.#rowCount);
    this.#writes = [];
    this.#rowCount = 0;
    this.#update = null;
  }
}
