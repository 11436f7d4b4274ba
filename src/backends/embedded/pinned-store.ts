import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { segmentName } from './journal-segment.ts';
import type { StoreSnapshot } from './store-files.ts';

/** How much of a file of the journal counts. */
export interface SegmentExtent {
  readonly id: string;
  readonly sizeBytes: number;
  /** Behind the last frame; all bytes before it stay as they are. */
  readonly endBytes: number;
}

/** A file of the journal that can be read, also when others have removed it meanwhile. */
export interface PinnedSegment extends SegmentExtent {
  readonly descriptor: number;
}

/** One state of a store, for as long as somebody needs it: LMDB keeps its pages, and the files stay open. */
export interface PinnedStore {
  readonly snapshot: StoreSnapshot;
  readonly segments: readonly PinnedSegment[];
  release(): void;
}

/**
 * Pins what the holder of the write lock sees. `extents` are of the same moment.
 * @throws the operating system's errors; then nothing is pinned.
 */
export function pinStore(
  folder: string,
  extents: readonly SegmentExtent[],
  takeSnapshot: () => StoreSnapshot,
): PinnedStore {
  const segments: PinnedSegment[] = [];
  const closeAll = (): void => {
    for (const { descriptor } of segments) closeSync(descriptor);
  };
  try {
    for (const extent of extents) {
      const descriptor = openSync(join(folder, segmentName(extent.id)), 'r');
      segments.push({ ...extent, descriptor });
    }
    const snapshot = takeSnapshot();
    return {
      snapshot,
      segments,
      release: () => {
        snapshot.release();
        closeAll();
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}
