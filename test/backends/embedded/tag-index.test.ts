import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openStoreFiles } from '../../../src/backends/embedded/store-files.ts';
import { TagIndex } from '../../../src/backends/embedded/tag-index.ts';
import { withFolder } from './fixtures.ts';

const ORDINAL_COUNT = 400;
const NAMES = ['a', 'b', 'c'];

/** Which ordinals have a leaf: every so many of a stretch, so that lists miss each other now and then. */
const stretches = fc.array(
  fc.record({
    from: fc.nat(ORDINAL_COUNT - 1),
    count: fc.nat(ORDINAL_COUNT),
    step: fc.constantFrom(1, 2, 3, 7, 50),
  }),
  { maxLength: 4 },
);

function ordinalsOf(
  list: readonly { readonly from: number; readonly count: number; readonly step: number }[],
): ReadonlySet<number> {
  const ordinals = new Set<number>();
  for (const { from, count, step } of list) {
    const end = Math.min(from + count, ORDINAL_COUNT);
    for (let ordinal = from; ordinal < end; ordinal += step) ordinals.add(ordinal);
  }
  return ordinals;
}

describe('the index of tags', () => {
  test('gives the streams that have every leaf, from anywhere, forward and backward', async () => {
    const place = fc.option(fc.integer({ min: -1, max: ORDINAL_COUNT }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(stretches, stretches, stretches),
        fc.array(place, { minLength: 1, maxLength: 5 }),
        (lists, places) =>
          withFolder(async (path) => {
            const files = await openStoreFiles(path);
            const index = new TagIndex(files);
            const sets = lists.map(ordinalsOf);
            files.write(() => {
              for (let ordinal = 0; ordinal < ORDINAL_COUNT; ordinal++) {
                const names = NAMES.filter((_name, i) => sets[i]!.has(ordinal));
                const after = Object.fromEntries(names.map((name) => [name, 1]));
                index.replace(ordinal, { before: null, after });
              }
            });
            const all = Array.from({ length: ORDINAL_COUNT }, (_, ordinal) => ordinal);
            for (const afterOrdinal of places) {
              const options = afterOrdinal === undefined ? {} : { afterOrdinal };
              for (const wanted of [[0], [1, 2], [0, 1, 2], [2, 0, 1]]) {
                const query = Object.fromEntries(wanted.map((i) => [NAMES[i]!, 1]));
                const both = all.filter((ordinal) => wanted.every((i) => sets[i]!.has(ordinal)));
                const from = afterOrdinal ?? -1;
                const to = afterOrdinal ?? ORDINAL_COUNT;
                expect(files.read(() => [...index.candidates(query, options)])).toEqual(
                  both.filter((ordinal) => ordinal > from),
                );
                expect(
                  files.read(() => [...index.candidates(query, { ...options, isReverse: true })]),
                ).toEqual(both.filter((ordinal) => ordinal < to).toReversed());
              }
            }
            await files.close();
          }),
      ),
      { numRuns: 25 },
    );
  });
});
