import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import { assertCode, at, type Suite } from '../fixture.ts';

const CODE = 'OUTSTANDING_DEPENDENCIES';

export function deletionTopic({ test }: Suite): void {
  test('§7 a stream that others derive from is not deleted without them', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    await fixture.appendNumbers(source, [1, 2, 3]);
    await assertCode(() => datastream.deleteStreams({ name: 'source' }), CODE);
    await assertCode(() => datastream.deleteStreams({ stream_id: source }), CODE);
    assert.equal((await fixture.read(source)).length, 3);
    assert.equal((await fixture.read(rate)).length, 2);
    await datastream.deleteStreams({ name: 'rate' });
    assert.deepEqual((await datastream.getStream(source)).contributesTo, []);
    await fixture.appendNumbers(source, [4], 3);
    await datastream.deleteStreams({ name: 'source' });
    assert.equal(await datastream.findStreams().count(), 0);
  });

  test('§7 streams that match together are deleted in the right order', async (fixture) => {
    const { datastream } = fixture;
    const tags = { tags: { kind: 'x' } };
    const source = await fixture.ensure('source', tags);
    const rate = await fixture.derive('rate', 'derivative', source, tags);
    await fixture.derive('sum', 'sum', [source, rate], tags);
    const other = await fixture.ensure('other');
    await datastream.deleteStreams({ kind: 'x' });
    assert.deepEqual(
      (await datastream.findStreams().toArray()).map(({ id }) => id),
      [other],
    );
  });

  test('§7 one dependency outside the query keeps all that match', async (fixture) => {
    const tags = { tags: { kind: 'x' } };
    const a = await fixture.ensure('a', tags);
    const b = await fixture.ensure('b', tags);
    await fixture.derive('inside', 'derivative', b, tags);
    await fixture.derive('outside', 'sum', [a, b]);
    await assertCode(() => fixture.datastream.deleteStreams({ kind: 'x' }), CODE);
    assert.equal(await fixture.datastream.findStreams({ kind: 'x' }).count(), 3);
  });

  test('§7 deleteStreams() without tags deletes everything', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const first = await fixture.derive('first', 'derivative', source);
    const second = await fixture.derive('second', 'derivative', first);
    await fixture.appendNumbers(source, new Array(50).fill(1));
    await datastream.downsampleStreams();
    await datastream.deleteStreams();
    assert.equal(await datastream.findStreams().count(), 0);
    for (const id of [source, first, second]) {
      await assertCode(() => datastream.getStream(id), 'STREAM_NOT_FOUND');
      await assertCode(() => datastream.append(id, 1, at(100)), 'STREAM_NOT_FOUND');
    }
    await datastream.deleteStreams();
  });

  test('§7 a stream of the same tags starts anew after deletion', async (fixture) => {
    const before = await fixture.ensure('a');
    await fixture.appendNumbers(before, new Array(50).fill(1));
    await fixture.datastream.downsampleStreams();
    await fixture.datastream.deleteStreams({ name: 'a' });
    const after = await fixture.ensure('a');
    assert.notEqual(after, before);
    assert.deepEqual(await fixture.read(after), []);
    assert.deepEqual(await fixture.read(after, Granularity.Seconds10), []);
    // Older than what the deleted stream had.
    await fixture.datastream.append(after, 2, at(-5));
    assert.deepEqual(await fixture.readRaw(after), [[-5, 2]]);
  });

  test('§7 deleting what nothing matches does nothing', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.deleteStreams({ name: 'b' });
    await fixture.datastream.getStream(id);
  });
}
