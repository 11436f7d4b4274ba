import type { GranularityName } from '../../model/granularity.ts';
import type { StreamRecord, StreamSnapshot } from '../../model/stream.ts';
import type { BlockRef, Entry, LevelChange } from './entry.ts';
import { Tail } from './tail.ts';

/** One level of a stream: its blocks, and after them its tail. No two of them share a timestamp. */
export interface LevelState {
  /** Instants of the first and the last row in blocks; null when there are none. */
  firstMs: number | null;
  lastMs: number | null;
  tail: Tail;
  /** Ascending; null while nobody has read them. */
  directory: readonly BlockRef[] | null;
}

/** A stream as it is after one entry of the journal; moved along from entry to entry. */
export class StreamState {
  /** Position in creation order, never used again: the key of the stream's blocks. */
  readonly number: number;
  record: StreamRecord;
  revision: string;
  version: string;
  readonly levels: Map<GranularityName, LevelState> = new Map();

  constructor(number: number, record: StreamRecord, version: string) {
    this.number = number;
    this.record = record;
    this.revision = version;
    this.version = version;
  }

  level(name: GranularityName): LevelState {
    let level = this.levels.get(name);
    if (level === undefined) {
      level = { firstMs: null, lastMs: null, tail: new Tail(), directory: [] };
      this.levels.set(name, level);
    }
    return level;
  }

  snapshot(): StreamSnapshot {
    const raw = this.levels.get(this.record.highestGranularity);
    return {
      record: this.record,
      ordinal: this.number,
      revision: this.revision,
      version: this.version,
      earliestMs: raw?.firstMs ?? raw?.tail.firstMs ?? null,
      latestMs: raw?.tail.lastMs ?? raw?.lastMs ?? null,
    };
  }
}

/** The token that a commit of an entry gives to what it touched. */
export function versionOf(seq: number, commitIndex: number): string {
  return `${seq}.${commitIndex}`;
}

/**
 * Carries one entry over to the states of streams. `stateOf` gives null for streams that nobody asked for.
 */
export function applyChanges(entry: Entry, stateOf: (number: number) => StreamState | null): void {
  for (const { number, record } of entry.records) {
    const state = stateOf(number);
    if (state === null) continue;
    state.record = record;
    state.revision = versionOf(entry.seq, entry.touched.get(number)!);
  }
  for (const { timestampMs, granularity, numbers, values } of entry.ticks) {
    for (let i = 0; i < numbers.length; i++) {
      stateOf(numbers[i]!)?.level(granularity).tail.push(timestampMs, values[i]!);
    }
  }
  for (const change of entry.levels) {
    const state = stateOf(change.number);
    if (state !== null) applyLevel(state.level(change.granularity), change);
  }
  for (const [number, commitIndex] of entry.touched) {
    const state = stateOf(number);
    if (state !== null) state.version = versionOf(entry.seq, commitIndex);
  }
}

function applyLevel(level: LevelState, change: LevelChange): void {
  if (level.directory !== null && change.drop.length + change.add.length > 0) {
    level.directory = changedDirectory(level.directory, change);
  }
  level.firstMs = change.firstMs;
  level.lastMs = change.lastMs;
  if (change.isTailCleared) level.tail = new Tail();
  if (change.rows !== null) level.tail.append(change.rows);
}

export function changedDirectory(
  directory: readonly BlockRef[],
  { drop, add }: Pick<LevelChange, 'drop' | 'add'>,
): readonly BlockRef[] {
  const dropped = new Set(drop);
  return [...directory.filter(({ id }) => !dropped.has(id)), ...add].sort(
    (a, b) => a.firstMs - b.firstMs,
  );
}
