import type { Target } from './targets.ts';

/** How rows are best stored. */
export interface WritePlan {
  /** Streams, each for itself. */
  readonly columns: readonly Target[];
  /** Streams that have numbers at the same instants: instant by instant. */
  readonly grids: readonly (readonly Target[])[];
}

/** So many streams at one instant are less work than columns of each, where levels follow appends. */
const FOLLOWED_STREAM_COUNT_MIN = 24;

/**
 * Finds streams that have rows at the same instants, where there are more streams than instants, or enough streams
 * whose levels follow appends.
 */
export function writePlan(
  targets: readonly Target[],
  { levelsFollow }: { readonly levelsFollow: boolean },
): WritePlan {
  const columns: Target[] = [];
  const alike = new Map<number, Target[]>();
  for (const target of targets) {
    const group = mayTick(target) ? groupOf(alike, target) : null;
    if (group === null) columns.push(target);
    else group.push(target);
  }
  const grids: Target[][] = [];
  for (const group of alike.values()) {
    const isFollowed = levelsFollow && group.length >= FOLLOWED_STREAM_COUNT_MIN;
    if (isFollowed || group.length > group[0]!.rows.timestamps.length) grids.push(group);
    else columns.push(...group);
  }
  return { columns, grids };
}

function mayTick({ rows, stream }: Target): boolean {
  return stream.valueType === 'numeric' && rows.values instanceof Float64Array;
}

/** Those with the same timestamps; null when others begin at the same one, and go on otherwise. */
function groupOf(alike: Map<number, Target[]>, { rows: { timestamps } }: Target): Target[] | null {
  const group = alike.get(timestamps[0]!);
  if (group === undefined) {
    const made: Target[] = [];
    alike.set(timestamps[0]!, made);
    return made;
  }
  const other = group[0]!.rows.timestamps;
  if (other.length !== timestamps.length) return null;
  for (let row = 1; row < other.length; row++) if (other[row] !== timestamps[row]) return null;
  return group;
}
