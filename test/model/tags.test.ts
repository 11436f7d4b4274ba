import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  canonicalJson,
  isEqualJson,
  isTagObject,
  type Json,
  matchesTags,
  mergeTags,
  removeTagPaths,
  type Tags,
  tagTerms,
} from '../../src/model/tags.ts';

const { tags: tagTrees } = fc.letrec<{ tags: Tags; json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(null, true, 0, 1, '', 'x'),
    fc.array(tie('json'), { maxLength: 2 }),
    tie('tags'),
  ),
  tags: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'toString'), tie('json'), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
}));

/** The leaves of a tree: path and value. An object without keys is a leaf here. */
function leavesOf(tags: Tags, path: readonly string[] = []): readonly string[] {
  return Object.entries(tags).flatMap(([key, value]) =>
    isTagObject(value) && Object.keys(value).length > 0
      ? leavesOf(value, [...path, key])
      : [JSON.stringify([[...path, key], canonicalJson(value)])],
  );
}

describe('matching tags', () => {
  test.each<[boolean, Tags, Tags]>([
    [true, { a: 1, b: 2 }, {}],
    [true, { a: 1, b: 2 }, { a: 1 }],
    [false, { a: 1 }, { a: 2 }],
    [false, { a: 1 }, { b: 1 }],
    [false, { a: 1 }, { a: '1' }],
    [true, { a: { b: 1, c: 2 }, d: 3 }, { a: { c: 2 } }],
    [false, { a: { b: 1 } }, { a: { b: 1, c: 2 } }],
    [true, { a: { b: { c: null } } }, { a: { b: { c: null } } }],
    [false, { a: { b: {} } }, { a: { b: { c: null } } }],
    [true, { a: { b: 1 } }, { a: {} }],
    [false, { a: 1 }, { a: {} }],
    [false, { a: { b: 1 } }, { a: 1 }],
    [false, { a: null }, { a: {} }],
    [true, { a: [1, { b: 2, c: 3 }] }, { a: [1, { c: 3, b: 2 }] }],
    [false, { a: [1, 2] }, { a: [1] }],
    [false, { a: [1, 2] }, { a: [2, 1] }],
    [false, { a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] }],
    [false, { a: [1] }, { a: { 0: 1 } }],
    [false, {}, { toString: 1 }],
    [false, {}, { constructor: {} }],
    [false, {}, JSON.parse('{"__proto__": {}}')],
  ])('%j: %j for the query %j', (expected, tags, query) => {
    expect(matchesTags(tags, query)).toBe(expected);
  });

  test('finds a stream by its own tags, and by any that were merged last', () => {
    fc.assert(
      fc.property(tagTrees, tagTrees, (tags, query) => {
        expect(matchesTags(tags, tags)).toBe(true);
        expect(matchesTags(mergeTags(tags, query), query)).toBe(true);
      }),
    );
  });

  test('needs every leaf of the query, so an index of leaves never misses a stream', () => {
    fc.assert(
      fc.property(tagTrees, tagTrees, (tags, other) => {
        const merged = mergeTags(other, tags);
        const present = new Set(tagTerms(merged).map((term) => canonicalJson(term)));
        for (const query of [tags, other]) {
          const hasAllTerms = tagTerms(query).every((term) => present.has(canonicalJson(term)));
          if (matchesTags(merged, query)) expect(hasAllTerms).toBe(true);
        }
      }),
    );
  });
});

describe('merging tags', () => {
  test.each<[Tags, Tags, Tags]>([
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    [{ a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }, { a: { b: 1, c: 3, d: 4 } }],
    [{ a: { b: 1 } }, { a: 1 }, { a: 1 }],
    [{ a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: [{ b: 1 }] }, { a: [{ c: 1 }] }, { a: [{ c: 1 }] }],
    [{ a: 1 }, { a: null }, { a: null }],
    [{ a: { b: 1 } }, { a: {} }, { a: { b: 1 } }],
    [{}, { toString: { x: 1 } }, { toString: { x: 1 } }],
  ])('%j with %j gives %j', (tags, changes, expected) => {
    expect(mergeTags(tags, changes)).toEqual(expected);
  });

  test('is the same done twice, and leaves what it was given alone', () => {
    fc.assert(
      fc.property(tagTrees, tagTrees, (tags, changes) => {
        const [tagsText, changesText] = [canonicalJson(tags), canonicalJson(changes)];
        const once = mergeTags(tags, changes);
        expect(mergeTags(once, changes)).toEqual(once);
        expect(mergeTags(tags, {})).toEqual(tags);
        expect(canonicalJson(tags)).toBe(tagsText);
        expect(canonicalJson(changes)).toBe(changesText);
      }),
    );
  });
});

describe('removing tags', () => {
  test.each<[Tags, Tags, Tags]>([
    [{ a: 1, b: 2 }, { a: '' }, { b: 2 }],
    [{ a: { b: 1, c: 2 } }, { a: { b: '' } }, { a: { c: 2 } }],
    [{ a: { b: 1 } }, { a: { b: 'ignored' } }, { a: {} }],
    [{ a: { b: 1 } }, { a: '' }, {}],
    [{ a: { b: 1 } }, { a: {} }, {}],
    [{ a: { b: { c: 1, d: 2 } } }, { a: { b: { c: null } } }, { a: { b: { d: 2 } } }],
    [{ a: [1, 2] }, { a: [1] }, {}],
    [{ a: [{ b: 1 }] }, { a: { b: '' } }, { a: [{ b: 1 }] }],
    [{ a: 1 }, { b: '', a: { c: '' } }, { a: 1 }],
    [{ a: 1 }, { toString: '' }, { a: 1 }],
  ])('%j without %j gives %j', (tags, paths, expected) => {
    expect(removeTagPaths(tags, paths)).toEqual(expected);
  });

  test('leaves exactly the leaves that it does not name', () => {
    fc.assert(
      fc.property(tagTrees, fc.nat(), (tags, pick) => {
        const leaves = leavesOf(tags);
        fc.pre(leaves.length > 0);
        const [path] = JSON.parse(leaves[pick % leaves.length]!) as [string[], string];
        const removed = removeTagPaths(
          tags,
          path.reduceRight<Json>((below, key) => ({ [key]: below }), '') as Tags,
        );
        const pathText = JSON.stringify(path);
        const expected = leaves.filter((leaf) => JSON.stringify(JSON.parse(leaf)[0]) !== pathText);
        // A parent that lost its last leaf stays, empty, and counts as a leaf of its own.
        const parentText = JSON.stringify([path.slice(0, -1), '{}']);
        expect(leavesOf(removed).filter((leaf) => leaf !== parentText)).toEqual(expected);
      }),
    );
  });
});

describe('comparing JSON', () => {
  test('does not see the order of keys, at any depth, but that of lists', () => {
    expect(isEqualJson({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    expect(isEqualJson([{ a: 1, b: 2 }], [{ b: 2, a: 1 }])).toBe(true);
    expect(isEqualJson([1, 2], [2, 1])).toBe(false);
    expect(isEqualJson({ a: null }, {})).toBe(false);
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  });

  test('reads back what it wrote', () => {
    fc.assert(
      fc.property(tagTrees, (tags) => {
        expect(JSON.parse(canonicalJson(tags))).toEqual(tags);
      }),
    );
  });

  test('lists leaves by path, lists and scalars whole', () => {
    expect(tagTerms({ a: { b: 1, c: { d: [2, { y: 1, x: 2 }] } }, e: null, f: {} })).toEqual([
      { path: ['a', 'b'], valueText: '1' },
      { path: ['a', 'c', 'd'], valueText: '[2,{"x":2,"y":1}]' },
      { path: ['e'], valueText: 'null' },
    ]);
  });
});
