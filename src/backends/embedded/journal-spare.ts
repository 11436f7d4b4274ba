import { existsSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSegment, segmentName, segmentSizeFor } from './journal-segment.ts';
import { isNoRoom } from './store-files.ts';
import { flushFolders } from './store-folder.ts';

/** Sizes of the first segment that a process makes, and of the largest for ordinary frames. */
const SIZE_MIN_BYTES = 64 * 1024;
const SIZE_MAX_BYTES = 2 * 1024 * 1024;
/** Segments grow with use, so that a small store stays small. */
const GROWTH = 4;
/** A segment has room for so many frames as large as those that are written. */
const FRAME_COUNT_MIN = 4;
const SIZE_FOR_FRAMES_MAX_BYTES = 16 * 1024 * 1024;
/** Wishes that are not heard after one that failed: a full disk does not soon have room again. */
const PAUSE_COUNT = 64;

export interface NewSegment {
  readonly id: string;
  readonly sizeBytes: number;
}

/**
 * Makes the next file of the journal off the path of the writers. Nothing here throws: as long as
 * there is no spare, entries go another way, unless the disk is full.
 */
export class SpareSegment {
  readonly #folder: string;
  #ready: NewSegment | null = null;
  #making: Promise<void> | null = null;
  #sizeBytes = SIZE_MIN_BYTES;
  #pauseCount = 0;
  #missingRoomBytes: number | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The size of the last segment for which the disk had no room; null when it had. */
  get missingRoomBytes(): number | null {
    return this.#missingRoomBytes;
  }

  /** Says that the disk had room for as much. */
  noteRoom(): void {
    this.#missingRoomBytes = null;
    this.#pauseCount = 0;
  }

  /** Starts to make a segment unless there is one. */
  wish(frameSizeBytes: number): void {
    if (this.#ready !== null || this.#making !== null) return;
    if (this.#pauseCount > 0) {
      this.#pauseCount--;
      return;
    }
    const forFrames = Math.min(frameSizeBytes * FRAME_COUNT_MIN, SIZE_FOR_FRAMES_MAX_BYTES);
    const sizeBytes = Math.max(this.#sizeBytes, Math.ceil(forFrames / 4096) * 4096);
    this.#making = this.#make(sizeBytes).finally(() => {
      this.#making = null;
    });
  }

  /**
   * Hands over the segment that is ready, if nobody has taken it for rubbish and it has room for
   * such a frame. One that is too small is removed: the next wish is for a larger one.
   */
  take(frameSizeBytes: number): NewSegment | null {
    const ready = this.#ready;
    if (ready === null) return null;
    const neededBytes = segmentSizeFor(frameSizeBytes);
    // No spare is made that large, so this one stays for the frames to come.
    if (neededBytes > SIZE_FOR_FRAMES_MAX_BYTES) return null;
    this.#ready = null;
    if (!existsSync(this.#path(ready.id))) return null;
    if (neededBytes <= ready.sizeBytes) return ready;
    unlink(this.#path(ready.id)).catch(() => {});
    return null;
  }

  /** Waits for what is under way, and removes what was never used. The next one is small again. */
  async remove(): Promise<void> {
    await this.#making;
    const ready = this.#ready;
    this.#ready = null;
    this.#sizeBytes = SIZE_MIN_BYTES;
    if (ready !== null) await unlink(this.#path(ready.id)).catch(() => {});
  }

  async #make(sizeBytes: number): Promise<void> {
    try {
      const id = await makeSegment(this.#folder, sizeBytes);
      await flushFolders([this.#folder]);
      this.#ready = { id, sizeBytes };
      this.#sizeBytes = Math.min(this.#sizeBytes * GROWTH, SIZE_MAX_BYTES);
      this.#missingRoomBytes = null;
    } catch (error) {
      if (isNoRoom(error)) this.#missingRoomBytes = sizeBytes;
      this.#sizeBytes = SIZE_MIN_BYTES;
      this.#pauseCount = PAUSE_COUNT;
    }
  }

  #path(id: string): string {
    return join(this.#folder, segmentName(id));
  }
}
