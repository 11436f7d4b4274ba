import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { StateStore } from '../../../src/server/state/state-store.ts';
import { linesOf } from '../../durability/child.ts';
import { openedState, temporaryFolder } from './support.ts';

const WRITER = join(import.meta.dirname, 'writer.fixture.mjs');

const ENTRY = {
  atMs: 0,
  actor: { kind: 'user', userId: null, name: 'test', address: null },
  action: 'unit.move',
  target: { kind: 'unit', id: '0', name: null },
  before: null,
  after: null,
};

interface Writer {
  readonly child: ChildProcess;
  readonly lines: readonly { readonly acknowledged: number }[];
}

function startWriter(folder: string, name: string, writeCount: number): Writer {
  const child = spawn(process.execPath, [WRITER, folder, name, String(writeCount)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, lines: linesOf(child.stdout!) };
}

function addRecords(state: StateStore): void {
  for (const id of ['from', 'to']) {
    state.dashboards.insert({
      id,
      name: id,
      ownerId: null,
      isShared: false,
      content: 0,
      createdAtMs: 0,
      updatedAtMs: 0,
    });
  }
}

/** How many units were moved, by the records and by the log. */
function moved(state: StateStore): { from: unknown; to: unknown; seqs: number[] } {
  return state.read(() => ({
    from: state.dashboards.require('from').content,
    to: state.dashboards.require('to').content,
    seqs: state.audit.page({ limit: 100_000 }).entries.map(({ seq }) => seq),
  }));
}

function consistent(count: number): ReturnType<typeof moved> {
  return { from: 0 - count, to: count, seqs: Array.from({ length: count }, (_, i) => count - i) };
}

describe('a state file', () => {
  test('takes the writes of several processes one after the other, and shows each at once', async () => {
    const folder = await temporaryFolder();
    const state = await openedState(folder);
    addRecords(state);
    const writers = ['a', 'b'].map((name) => startWriter(folder, name, 150));
    let isRunning = true;
    const ended = Promise.all(writers.map(({ child }) => once(child, 'exit'))).then((exits) => {
      isRunning = false;
      return exits;
    });
    let seenCount = 0;
    let ownCount = 0;
    while (isRunning) {
      const seen = moved(state);
      expect(seen).toEqual(consistent(seen.seqs.length));
      expect(seen.seqs.length).toBeGreaterThanOrEqual(seenCount);
      seenCount = seen.seqs.length;
      state.write(() => {
        state.dashboards.update('from', (held) => ({ ...held, content: Number(held.content) - 1 }));
        state.dashboards.update('to', (held) => ({ ...held, content: Number(held.content) + 1 }));
        state.audit.append(ENTRY);
      });
      ownCount++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await ended).map(([code]) => code)).toEqual([0, 0]);
    expect(moved(state)).toEqual(consistent(300 + ownCount));
  });

  test('has every acknowledged write, and no half one, after its writer was killed', async () => {
    const folder = await temporaryFolder();
    const first = await StateStore.open(folder);
    addRecords(first);
    await first.close();
    let countBefore = 0;
    for (let round = 0; round < 4; round++) {
      const { child, lines } = startWriter(folder, 'a', 1_000_000);
      while (lines.length < 20 + 7 * round) await once(child.stdout!, 'data');
      child.kill('SIGKILL');
      await once(child, 'close');
      const state = await StateStore.open(folder);
      try {
        const { seqs } = moved(state);
        expect(moved(state)).toEqual(consistent(seqs.length));
        const acknowledgedCount = lines.at(-1)!.acknowledged;
        // The one that was under way may be there.
        expect(seqs.length - countBefore - acknowledgedCount).toBeGreaterThanOrEqual(0);
        expect(seqs.length - countBefore - acknowledgedCount).toBeLessThanOrEqual(1);
        countBefore = seqs.length;
      } finally {
        await state.close();
      }
    }
  });
});
