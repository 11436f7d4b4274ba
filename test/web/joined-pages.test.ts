import { expect, test } from '@jest/globals';
import { joinedPages } from '../../web/src/state/joined-pages.ts';

const items = (...seqs: readonly number[]) => seqs.map((seq) => ({ seq }));
const seqsOf = (page: { items: readonly { seq: number }[] }) => page.items.map(({ seq }) => seq);

test('what was read behind the newest page stays behind it while newer items come', () => {
  const held = { listKey: 'a', items: items(5, 4, 3, 2), next: 'from 2' };
  const newest = { listKey: 'a', items: items(7, 6, 5), next: 'from 5' };
  const joined = joinedPages(newest, held);
  expect(seqsOf(joined)).toEqual([7, 6, 5, 4, 3, 2]);
  expect(joined.next).toBe('from 2');
});

test('it is dropped where items between may be missing, and for another list', () => {
  const held = { listKey: 'a', items: items(5, 4), next: null };
  const later = { listKey: 'a', items: items(9, 8), next: 'from 8' };
  expect(joinedPages(later, held)).toBe(later);
  const other = { listKey: 'b', items: items(5), next: null };
  expect(joinedPages(other, held)).toBe(other);
  expect(joinedPages(other, null)).toBe(other);
});
