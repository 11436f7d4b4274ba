import { describe, expect, test } from '@jest/globals';
import {
  pagesToRefresh,
  type StreamListPage,
  streamsOfPages,
  withPage,
} from '../../web/src/state/stream-pages.ts';
import { streamOf } from './streams.ts';

const page = (cursor: string | null, ids: string, next: string | null): StreamListPage => ({
  cursor,
  streams: [...ids].map((id) => streamOf(id)),
  next,
});
const idsOf = (pages: readonly StreamListPage[]): string =>
  streamsOfPages(pages)
    .map(({ id }) => id)
    .join('');
const PAGES = [page(null, 'abc', 'c'), page('c', 'def', 'f'), page('f', 'g', null)];

describe('pages of a list of streams', () => {
  test('are read again in turn, the last one each time', () => {
    const turns = [0, 1, 2].map((turn) => pagesToRefresh(PAGES, turn).map(({ cursor }) => cursor));
    expect(turns).toEqual([
      [null, 'f'],
      ['c', 'f'],
      [null, 'f'],
    ]);
    expect(pagesToRefresh(PAGES.slice(2), 7)).toEqual(PAGES.slice(2));
    expect(pagesToRefresh([], 0)).toEqual([]);
  });

  test('take in streams that are new, and tell that there are more', () => {
    const longer = withPage(PAGES, page('f', 'gh', 'h'));
    expect(idsOf(longer)).toBe('abcdefgh');
    expect(longer.at(-1)!.next).toBe('h');
  });

  test('lose streams that are gone, and show none twice that moved up', () => {
    const shorter = withPage(PAGES, page(null, 'acd', 'd'));
    expect(idsOf(shorter)).toBe('acdefg');
    expect(shorter[0]!.next).toBe('c');
  });

  test('stay the same when nothing has changed, or the list is another one by now', () => {
    expect(withPage(PAGES, page('c', 'def', 'f'))).toBe(PAGES);
    expect(withPage(PAGES, page('other', 'x', null))).toBe(PAGES);
  });
});
