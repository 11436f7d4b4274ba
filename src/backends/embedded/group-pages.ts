import { EMPTY_BLOCK } from '../../model/block.ts';
import type { Page } from '../backend.ts';
import type { BlockStore } from './block-store.ts';
import type { Cohort, ColumnPart } from './cohort.ts';
import type { LevelPlace } from './journal-entry.ts';
import { type PageOptions, readLevelPage } from './page-reader.ts';
import type { ScratchMemory } from './scratch-memory.ts';

/** What a page is read from. */
export interface LevelRequest {
  readonly place: LevelPlace;
  readonly options: PageOptions;
}

/** That of a stream that does not exist. */
export const NO_PAGE: Page = Object.freeze({ block: EMPTY_BLOCK, rest: null });

/** Requests for the same stretch of columns of a cohort, by their places in the list. */
interface Stretch {
  readonly part: ColumnPart;
  readonly places: number[];
  readonly indexes: number[];
}

/**
 * Reads many pages. Those that are the same stretch of a cohort are read side by side, and share their
 * timestamps; every other one is read by itself. Null is a stream that does not exist.
 * @param scratch takes rows that are read side by side.
 */
export function readLevelPages(
  blocks: BlockStore,
  requests: readonly (LevelRequest | null)[],
  scratch: ScratchMemory,
): readonly Page[] {
  const pages = new Array<Page | undefined>(requests.length).fill(undefined);
  for (const { part, places, indexes } of stretches(requests)) {
    const { columns: names } = requests[places[0]!]!.options;
    const rows = part.cohort.alignedRows(indexes, part, { names, scratch });
    for (let i = 0; rows !== null && i < places.length; i++) {
      pages[places[i]!] = { block: rows[i]!, rest: null };
    }
  }
  return requests.map((request, place) => {
    if (request === null) return NO_PAGE;
    return pages[place] ?? readLevelPage(blocks, request.place, request.options);
  });
}

/** Those of at least two streams. */
function stretches(requests: readonly (LevelRequest | null)[]): readonly Stretch[] {
  const byCohort = new Map<Cohort, Stretch[]>();
  for (const [place, request] of requests.entries()) {
    const part = request === null ? null : openPart(request.options);
    if (part === null) continue;
    const known = byCohort.get(part.cohort) ?? [];
    const { options } = request!;
    const stretch = known.find(
      (item) =>
        item.part.from === part.from &&
        item.part.to === part.to &&
        hasSameColumns(requests[item.places[0]!]!.options, options),
    );
    if (stretch === undefined) {
      known.push({ part, places: [place], indexes: [part.index] });
      byCohort.set(part.cohort, known);
    } else {
      stretch.places.push(place);
      stretch.indexes.push(part.index);
    }
  }
  return [...byCohort.values()].flat().filter(({ places }) => places.length > 1);
}

/** The stretch that is the whole page; null when there is more to it. */
function openPart({ state, range, rowCountMax }: PageOptions): ColumnPart | null {
  if (state === null || state.tail !== null || state.mayHaveBlocks(range.startMs)) return null;
  const part = state.openColumn()?.cut(range) ?? null;
  return part === null || part.rowCount > rowCountMax ? null : part;
}

function hasSameColumns(a: PageOptions, b: PageOptions): boolean {
  return a.columns === b.columns || a.columns?.join() === b.columns?.join();
}
