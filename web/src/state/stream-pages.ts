import type { StreamInfo } from '../api/types.ts';

/** A page of a list of streams, and how to read it again. */
export interface StreamListPage {
  /** Null: the first one. */
  readonly cursor: string | null;
  readonly streams: readonly StreamInfo[];
  /** Cursor of the page behind it; null: it is the last one. */
  readonly next: string | null;
}

export const NO_PAGES: readonly StreamListPage[] = [];

/** All streams in their order, each once: where some are gone, a page that is read again reaches into the next one. */
export function streamsOfPages(pages: readonly StreamListPage[]): readonly StreamInfo[] {
  const byId = new Map<string, StreamInfo>();
  for (const { streams } of pages) {
    for (const stream of streams) if (!byId.has(stream.id)) byId.set(stream.id, stream);
  }
  return [...byId.values()];
}

/** Which pages to read again: the last one, where new streams appear, and one of the others after the other. */
export function pagesToRefresh(
  pages: readonly StreamListPage[],
  turn: number,
): readonly StreamListPage[] {
  const last = pages.at(-1);
  const others = pages.slice(0, -1);
  return [...(others.length === 0 ? [] : [others[turn % others.length]!]), ...(last ? [last] : [])];
}

/** Pages with one of them as it was read again; the same pages where nothing has changed, or there is none like it. */
export function withPage(
  pages: readonly StreamListPage[],
  page: StreamListPage,
): readonly StreamListPage[] {
  const at = pages.findIndex(({ cursor }) => cursor === page.cursor);
  if (at === -1 || JSON.stringify(pages[at]) === JSON.stringify(page)) return pages;
  // Whatever is loaded behind a page goes on where it did.
  const next = at < pages.length - 1 ? pages[at]!.next : page.next;
  return pages.map((before, index) => (index === at ? { ...page, next } : before));
}
