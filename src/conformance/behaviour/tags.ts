import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Tags } from '../../model/tags.ts';
import { assertCode, assertJson, defined, type Suite } from '../fixture.ts';

const RESERVED: readonly string[] = [
  'stream_id',
  'value_downsamplers',
  'time_downsamplers',
  'highest_granularity',
  'derived_from',
  'contributes_to',
  'pending_backprocess',
  'latest_datapoint',
  'earliest_datapoint',
  'downsampled_until',
  'value_type',
  'value_type_options',
];

export function tagsTopic({ test }: Suite): void {
  test('§2 updateTags() merges, nested objects key by key', async ({ datastream }) => {
    const id = await datastream.ensureStream(
      { name: 'a' },
      defined({ tags: { place: { city: 'Ljubljana', floor: 1 }, list: [1, 2] } }),
    );
    await datastream.updateTags(id, { place: { floor: 2, room: { number: 3 } }, list: [3] });
    await datastream.updateTags(id, { place: { room: { door: 'left' } }, extra: null });
    assertJson(await datastream.getTags(id), {
      name: 'a',
      place: { city: 'Ljubljana', floor: 2, room: { number: 3, door: 'left' } },
      list: [3],
      extra: null,
    });
  });

  test('§2 removeTag() removes a path, whatever its values', async ({ datastream }) => {
    const id = await datastream.ensureStream(
      { name: 'a' },
      defined({ tags: { place: { city: 'Ljubljana', floor: 1 }, unit: 's' } }),
    );
    await datastream.removeTag(id, { place: { city: '' } });
    assertJson(await datastream.getTags(id), { name: 'a', place: { floor: 1 }, unit: 's' });
    await datastream.removeTag(id, { unit: 'anything', missing: '' });
    assertJson(await datastream.getTags(id), { name: 'a', place: { floor: 1 } });
  });

  test('§2 clearTags() empties the tags, and only those', async ({ datastream }) => {
    const id = await datastream.ensureStream({ name: 'a' }, defined());
    await datastream.append(id, 1);
    await datastream.clearTags(id);
    assertJson(await datastream.getTags(id), {});
    assert.equal((await datastream.getStream(id)).valueType, 'numeric');
    assert.equal(await datastream.findStreams({ name: 'a' }).count(), 0);
    assert.equal(await datastream.findStreams().count(), 1);
  });

  test('§2 concurrent tag updates are all kept', async ({ datastream }) => {
    const id = await datastream.ensureStream({ name: 'a' }, defined());
    const keys = Array.from({ length: 8 }, (_, index) => `key${index}`);
    await Promise.all(keys.map((key) => datastream.updateTags(id, { [key]: 1 })));
    assert.deepEqual(Object.keys(await datastream.getTags(id)).sort(), [...keys, 'name']);
  });

  test('§2 reserved tag names are refused wherever tags are given', async ({ datastream }) => {
    const id = await datastream.ensureStream({ name: 'a' }, defined());
    const code = 'RESERVED_TAG_NAME';
    for (const name of [...RESERVED, 'double__underscore', '__proto']) {
      const tags: Tags = { [name]: 'x' };
      await assertCode(() => datastream.ensureStream({ name: 'b' }, defined({ tags })), code);
      await assertCode(() => datastream.updateTags(id, tags), code);
      await assertCode(() => datastream.removeTag(id, tags), code);
    }
    assertJson(await datastream.getTags(id), { name: 'a' });
    assert.equal(await datastream.findStreams().count(), 1);
  });

  test('§2 a key with "__" is refused nested too', async ({ datastream }) => {
    const id = await datastream.ensureStream({ name: 'a' }, defined());
    const code = 'RESERVED_TAG_NAME';
    await assertCode(() => datastream.updateTags(id, { deep: { deeper: { a__b: 1 } } }), code);
    await assertCode(
      () => datastream.ensureStream({ name: 'b', deep: { a__b: 1 } }, defined()),
      code,
    );
    // A reserved name is a plain key where it is nested.
    await datastream.updateTags(id, { deep: { value_type: 'mine' } });
    assertJson(await datastream.getTags(id), { name: 'a', deep: { value_type: 'mine' } });
  });

  test('§2 tag calls on an unknown stream are STREAM_NOT_FOUND', async ({ datastream }) => {
    const id = randomUUID();
    const code = 'STREAM_NOT_FOUND';
    await assertCode(() => datastream.getStream(id), code);
    await assertCode(() => datastream.getTags(id), code);
    await assertCode(() => datastream.updateTags(id, { a: 1 }), code);
    await assertCode(() => datastream.removeTag(id, { a: '' }), code);
    await assertCode(() => datastream.clearTags(id), code);
    await assertCode(() => datastream.getTags('not a UUID'), code);
  });

  test('§2 findStreams() matches subsets of tags and ids', async (fixture) => {
    const { datastream } = fixture;
    const a = await fixture.ensure('a', { tags: { kind: 'x', place: { city: 'L', floor: 1 } } });
    const b = await fixture.ensure('b', { tags: { kind: 'x', place: { city: 'M', floor: 1 } } });
    const find = async (tags: Tags) =>
      (await datastream.findStreams(tags).toArray()).map(({ id }) => id);
    assert.deepEqual(await find({}), [a, b]);
    assert.deepEqual(await find({ kind: 'x' }), [a, b]);
    assert.deepEqual(await find({ place: { floor: 1 } }), [a, b]);
    assert.deepEqual(await find({ place: { city: 'M' } }), [b]);
    assert.deepEqual(await find({ stream_id: a }), [a]);
    assert.deepEqual(await find({ stream_id: a, kind: 'y' }), []);
    assert.deepEqual(await find({ stream_id: randomUUID() }), []);
    assert.deepEqual(await find({ kind: 'X' }), []);
  });
}
