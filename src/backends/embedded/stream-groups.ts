import type { StreamId } from '../../model/stream.ts';
import type { Cohort } from './cohort.ts';
import type { StreamState } from './stream-state.ts';
import type { StreamStore } from './stream-store.ts';
import type { View } from './view.ts';

/** Lists that are found again by what is in them. */
const RECENT_COUNT_MAX = 256;

/** Streams of a list that have their raw rows on the same level. */
export interface RawGroup {
  readonly level: number;
  readonly ordinals: Uint32Array;
  /** Their positions in the list; null when they are the whole of it. */
  readonly positions: Uint32Array | null;
  /** Theirs when somebody last looked; it may have been disbanded since. */
  cohort: Cohort | null;
}

/** What was found out about a list of streams. */
export interface StreamGroup {
  readonly streamIds: readonly StreamId[];
  readonly ordinals: Uint32Array;
  /** By raw level. */
  readonly rawGroups: readonly RawGroup[];
}

interface Resolved {
  readonly view: View;
  readonly epoch: number;
  readonly group: StreamGroup;
}

/**
 * Finds out about lists of streams once: the same array, which is never written to again, stands for
 * the same streams until the view forgets one of them.
 */
export class StreamGroups {
  readonly #streams: StreamStore;
  #byArray: WeakMap<readonly StreamId[], Resolved> = new WeakMap();
  /** By first id. */
  readonly #recent: Map<StreamId, Resolved> = new Map();

  constructor(streams: StreamStore) {
    this.#streams = streams;
  }

  /** Null when one of the streams is not there. */
  resolve(view: View, streamIds: readonly StreamId[]): StreamGroup | null {
    const known = this.#byArray.get(streamIds) ?? this.#recent.get(streamIds[0]!);
    const isKnown =
      known !== undefined &&
      known.view === view &&
      known.epoch === view.epoch &&
      hasSameIds(known.group.streamIds, streamIds);
    const resolved = isKnown ? known : this.#resolved(view, streamIds);
    if (resolved !== null && resolved.group.streamIds !== streamIds) {
      this.#byArray.set(streamIds, resolved);
    }
    return resolved?.group ?? null;
  }

  #resolved(view: View, streamIds: readonly StreamId[]): Resolved | null {
    const states: StreamState[] = [];
    for (const streamId of streamIds) {
      const state = this.#streams.byId(view, streamId);
      if (state === null) return null;
      states.push(state);
    }
    const group = {
      streamIds,
      ordinals: Uint32Array.from(states, ({ ordinal }) => ordinal),
      rawGroups: rawGroupsOf(states),
    };
    const resolved = { view, epoch: view.epoch, group };
    this.#byArray.set(streamIds, resolved);
    if (streamIds.length > 0) {
      if (this.#recent.size >= RECENT_COUNT_MAX) this.#recent.clear();
      this.#recent.set(streamIds[0]!, resolved);
    }
    return resolved;
  }
}

function rawGroupsOf(states: readonly StreamState[]): readonly RawGroup[] {
  const levels = [...new Set(states.map(({ rawLevel }) => rawLevel))];
  return levels.map((level) => {
    const positions = [...states.keys()].filter((i) => states[i]!.rawLevel === level);
    return {
      level,
      ordinals: Uint32Array.from(positions, (i) => states[i]!.ordinal),
      positions: levels.length === 1 ? null : Uint32Array.from(positions),
      cohort: null,
    };
  });
}

function hasSameIds(a: readonly StreamId[], b: readonly StreamId[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
