import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventRing } from '../../../src/server/live/event-ring.ts';
import { LiveEvent } from '../../../src/server/live/live-event.ts';

const POSITION = { latest: null, count: 0, edits: 0 };

function eventOf(sequence: number, note: string): LiveEvent {
  const tags = { note };
  return new LiveEvent(
    { kind: 'tags', streamId: 'a' as never, tags },
    { sequence, tags: { before: tags, after: tags }, position: POSITION },
  );
}

test('a ring has the last events, or says that it has not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat({ max: 400 })), { maxLength: 40 }),
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 0, max: 3000 }),
      (given, countMax, sizeMaxBytes) => {
        const ring = new EventRing(100, { countMax, sizeMaxBytes });
        let kept: LiveEvent[] = [];
        let floor = 100;
        let sequence = 100;
        for (const [gap, length] of given) {
          sequence += gap;
          const event = eventOf(sequence, 'x'.repeat(length));
          ring.push(event);
          kept.push(event);
          const size = (): number => kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          while (kept.length > countMax || size() > sizeMaxBytes) floor = kept.shift()!.sequence;
        }
        expect(ring.count).toBe(kept.length);
        for (let after = 95; after <= sequence + 2; after++) {
          const wanted = kept.filter((event) => event.sequence > after);
          expect(ring.after(after)).toEqual(after < floor ? null : wanted);
        }
        kept = [];
      },
    ),
    { numRuns: 100 },
  );
});
