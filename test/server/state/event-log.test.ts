import { describe, expect, test } from '@jest/globals';
import type { AuditEntry } from '../../../src/server/state/records/audit-entry.ts';
import { openedState, temporaryFolder, temporaryState } from './support.ts';

function entry(atMs: number, action = 'x'): AuditEntry {
  return {
    atMs,
    actor: { kind: 'user', userId: null, name: 'x', address: null },
    action,
    target: { kind: 'x', id: 'x', name: null },
    before: null,
    after: { n: [1, null, 'a'] },
  };
}

describe('a log', () => {
  test('is read in pages, newest first, while it grows', async () => {
    const { audit } = await temporaryState();
    for (let i = 1; i <= 7; i++) expect(audit.append(entry(i))).toBe(i);
    const first = audit.page({ limit: 3 });
    expect(first.entries.map(({ seq, atMs }) => [seq, atMs])).toEqual([
      [7, 7],
      [6, 6],
      [5, 5],
    ]);
    audit.append(entry(8));
    const second = audit.page({ limit: 3, beforeSeq: first.nextBeforeSeq! });
    expect(second.entries.map(({ seq }) => seq)).toEqual([4, 3, 2]);
    const third = audit.page({ limit: 1, beforeSeq: second.nextBeforeSeq! });
    expect(third).toEqual({ entries: [{ ...entry(1), seq: 1 }], nextBeforeSeq: null });
    expect(audit.page({ limit: 3, beforeSeq: 1 })).toEqual({ entries: [], nextBeforeSeq: null });
  });

  test('is filtered, in steps that are bounded', async () => {
    const { audit } = await temporaryState();
    for (let i = 1; i <= 30; i++) audit.append(entry(i, i % 10 === 0 ? 'rare' : 'x'));
    const matches = ({ action }: AuditEntry): boolean => action === 'rare';
    const { entries, nextBeforeSeq } = audit.page({ limit: 2, matches });
    expect(entries.map(({ seq }) => seq)).toEqual([30, 20]);
    const rest = audit.page({ limit: 2, matches, beforeSeq: nextBeforeSeq! });
    expect(rest.entries.map(({ seq }) => seq)).toEqual([10]);
    expect(rest.nextBeforeSeq).toBeNull();
  });

  test('forgets what is too much, and what is too old, but not its numbers', async () => {
    const folder = await temporaryFolder();
    const { audit } = await openedState(folder, { audit: { entryCountMax: 5, ageMaxMs: 100 } });
    const seqs = (): number[] => audit.page({ limit: 100 }).entries.map(({ seq }) => seq);
    for (let i = 1; i <= 8; i++) audit.append(entry(i));
    expect(seqs()).toEqual([8, 7, 6, 5, 4]);
    audit.append(entry(107));
    expect(seqs()).toEqual([9, 8, 7]);
    audit.append(entry(1000));
    expect(seqs()).toEqual([10]);
    const again = await openedState(folder, { audit: { entryCountMax: 1, ageMaxMs: 100 } });
    expect(again.audit.append(entry(5000))).toBe(11);
    expect(seqs()).toEqual([11]);
  });

  test('keeps its entries apart from those of other logs', async () => {
    const state = await temporaryState();
    state.audit.append(entry(1));
    const event = { atMs: 2, ruleId: 'r', streamId: 's', state: 'firing', detail: null };
    expect(state.alertHistory.append(event)).toBe(1);
    expect(state.alertHistory.page({ limit: 9 }).entries).toEqual([{ ...event, seq: 1 }]);
    expect(state.audit.page({ limit: 9 }).entries).toHaveLength(1);
  });
});
