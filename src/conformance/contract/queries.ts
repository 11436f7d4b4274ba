import assert from 'node:assert/strict';
import type { Backend } from '../../backends/backend.ts';
import type { Tags } from '../../model/tags.ts';
import type { Suite } from '../fixture.ts';
import { append, commit, createStream, newRecord, snapshotOf } from './rows-of.ts';

const LIMIT = 1000;

/** Values of the tag `name` of the streams that match, in the order of the backend. */
async function namesOf(backend: Backend, tags: Tags, options = {}): Promise<unknown[]> {
  const found = await backend.queryStreams({ tags, limit: LIMIT, ...options });
  return found.map(({ record }) => record.tags['name']);
}

async function createNamed(backend: Backend, count: number, tags: Tags = {}): Promise<void> {
  for (let index = 0; index < count; index++) await createStream(backend, { ...tags, name: index });
}

/** Query tags, and which of the streams of the matching test they find. */
const MATCHES: readonly (readonly [Tags, readonly string[]])[] = [
  [{}, ['a', 'b', 'c', 'd']],
  [{ name: 'a' }, ['a']],
  [{ number: 1 }, ['a']],
  [{ number: '1' }, ['b']],
  [{ number: true }, []],
  [{ place: { city: 'Ljubljana' } }, ['a', 'b']],
  [{ place: { city: 'Ljubljana', floor: 2 } }, ['b']],
  [{ place: {} }, ['a', 'b']],
  [{ place: { city: {} } }, []],
  [{ place: 'Ljubljana' }, ['c']],
  [{ list: [1, 2] }, ['a']],
  [{ list: [2, 1] }, ['b']],
  [{ list: [1] }, []],
  [{ list: [{ y: 1, x: 2 }] }, ['c']],
  [{ none: null }, ['c']],
  [{ missing: null }, []],
  [{ 'dots.and $signs': 'čšž \u0000 😀' }, ['d']],
  [{ '': '' }, ['d']],
  [{ place: { city: 'Ljubljana' }, number: '1', name: 'b' }, ['b']],
  [{ place: { city: 'Ljubljana' }, number: '1', name: 'a' }, []],
];

export function queriesTopic({ test }: Suite): void {
  test('readStreams() answers in the order of the ids, with null for the unknown', async (fixture) => {
    const { backend } = fixture;
    const a = await createStream(backend, { name: 'a' });
    const b = await createStream(backend, { name: 'b' });
    const unknown = newRecord({}).id;
    const found = await backend.readStreams([b, unknown, a, b]);
    assert.deepEqual(
      found.map((snapshot) => snapshot?.record.tags['name'] ?? null),
      ['b', null, 'a', 'b'],
    );
    assert.deepEqual(await backend.readStreams([]), []);
  });

  test('a record comes back as it was stored, and has no data', async ({ backend }) => {
    const record = newRecord(
      { deep: { list: [1, 'two', null, { three: 3.5 }], empty: {} } },
      {
        valueType: 'nominal',
        valueDownsamplers: [],
        highestGranularity: 'minutes',
        stale: [{ startMs: -1000, endMs: 1000 }],
      },
    );
    await commit(backend, { expect: [], create: [{ record }] });
    const snapshot = await snapshotOf(backend, record.id);
    assert.deepEqual(snapshot.record, record);
    assert.equal(snapshot.earliestMs, null);
    assert.equal(snapshot.latestMs, null);
  });

  test('queries match a subset of the tags, nested objects key by key', async ({ backend }) => {
    await createStream(backend, {
      name: 'a',
      number: 1,
      place: { city: 'Ljubljana', floor: 1 },
      list: [1, 2],
    });
    await createStream(backend, {
      name: 'b',
      number: '1',
      place: { city: 'Ljubljana', floor: 2 },
      list: [2, 1],
    });
    await createStream(backend, {
      name: 'c',
      place: 'Ljubljana',
      none: null,
      list: [{ x: 2, y: 1 }],
    });
    await createStream(backend, { name: 'd', 'dots.and $signs': 'čšž \u0000 😀', '': '' });
    for (const [tags, names] of MATCHES) {
      assert.deepEqual(await namesOf(backend, tags), names, `query ${JSON.stringify(tags)}`);
      assert.equal(await backend.countStreams(tags), names.length);
    }
  });

  test('long tag values and keys are matched in full', async ({ backend }) => {
    const long = 'x'.repeat(5000);
    await createStream(backend, { name: 1, text: `${long}1`, [`${long}a`]: 1 });
    await createStream(backend, { name: 2, text: `${long}2`, [`${long}b`]: 1 });
    assert.deepEqual(await namesOf(backend, { text: `${long}2` }), [2]);
    assert.deepEqual(await namesOf(backend, { [`${long}a`]: 1 }), [1]);
  });

  test('streams come in creation order, page by page, in both directions', async ({ backend }) => {
    await createNamed(backend, 25, { kind: 'wanted' });
    await createStream(backend, { kind: 'other' });
    const all = Array.from({ length: 25 }, (_, index) => index);
    for (const isReverse of [false, true]) {
      const names: unknown[] = [];
      let afterOrdinal: number | undefined;
      for (;;) {
        const page = await backend.queryStreams({
          tags: { kind: 'wanted' },
          limit: 4,
          isReverse,
          ...(afterOrdinal === undefined ? {} : { afterOrdinal }),
        });
        if (page.length === 0) break;
        assert(page.length <= 4, 'a page keeps to its limit');
        names.push(...page.map(({ record }) => record.tags['name']));
        afterOrdinal = page.at(-1)!.ordinal;
      }
      assert.deepEqual(names, isReverse ? all.toReversed() : all);
    }
    assert.deepEqual(await backend.queryStreams({ tags: {}, limit: 0 }), []);
  });

  test('changed tags are found by the new ones and not by the old', async ({ backend }) => {
    await createNamed(backend, 3);
    const id = await createStream(backend, { name: 'changing', colour: 'red', old: 1 });
    const { record } = await snapshotOf(backend, id);
    await commit(backend, {
      expect: [],
      update: [{ ...record, tags: { name: 'changing', colour: 'blue' } }],
    });
    assert.deepEqual(await namesOf(backend, { colour: 'blue' }), ['changing']);
    assert.deepEqual(await namesOf(backend, { colour: 'red' }), []);
    assert.deepEqual(await namesOf(backend, { old: 1 }), []);
    assert.deepEqual(await namesOf(backend, {}), [0, 1, 2, 'changing']);
  });

  test('deleted streams are gone from every query, and order stays', async ({ backend }) => {
    await createNamed(backend, 5);
    const [found] = await backend.queryStreams({ tags: { name: 2 }, limit: LIMIT });
    const { id } = found!.record;
    await append(backend, id, [[0, 1]]);
    await commit(backend, { expect: [], delete: [id] });
    assert.deepEqual(await namesOf(backend, {}), [0, 1, 3, 4]);
    assert.deepEqual(await namesOf(backend, {}, { isReverse: true }), [4, 3, 1, 0]);
    assert.deepEqual(await namesOf(backend, { name: 2 }), []);
    assert.equal(await backend.countStreams({}), 4);
    assert.deepEqual(await backend.readStreams([id]), [null]);
  });

  test('a query gives revision, version and the bounds of the data too', async ({ backend }) => {
    const id = await createStream(backend, { name: 'a' });
    await append(backend, id, [
      [5, 1],
      [9, 2],
    ]);
    const [found] = await backend.queryStreams({ tags: { name: 'a' }, limit: 1 });
    assert.deepEqual(found, await snapshotOf(backend, id));
  });
}
