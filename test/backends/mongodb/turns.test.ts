import { describe, expect, test } from '@jest/globals';
import { Turns } from '../../../src/backends/mongodb/turns.ts';

/** A clock that moves when somebody sleeps, or the test says so. */
class TestClock {
  ms = 0;
  readonly pauses: number[] = [];

  nowMs(): number {
    return this.ms;
  }

  async sleep(durationMs: number): Promise<void> {
    this.pauses.push(durationMs);
    this.ms += durationMs;
  }
}

async function write(turns: Turns, clock: TestClock, isWon = true): Promise<void> {
  await turns.begin();
  clock.ms += 4;
  turns.end({ isWon, durationMs: 4 });
}

describe('turns', () => {
  test('a process that writes all the time makes room now and then', async () => {
    const clock = new TestClock();
    const turns = new Turns(clock);
    for (let count = 0; count < 250; count++) await write(turns, clock);
    // 1000 ms of writing in turns of 250 ms.
    expect(clock.pauses).toHaveLength(3);
    expect(Math.min(...clock.pauses)).toBeGreaterThan(20);
  });

  test('one that has met a rival makes room after each few writes', async () => {
    const clock = new TestClock();
    const turns = new Turns(clock);
    await write(turns, clock, false);
    for (let count = 0; count < 60; count++) await write(turns, clock);
    expect(clock.pauses.length).toBeGreaterThan(6);
  });

  test('one that writes seldom never waits', async () => {
    const clock = new TestClock();
    const turns = new Turns(clock);
    for (let count = 0; count < 100; count++) {
      await write(turns, clock);
      clock.ms += 50;
    }
    expect(clock.pauses).toEqual([]);
  });
});
