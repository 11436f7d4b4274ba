import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import { at, type Suite } from '../fixture.ts';

const { Seconds10 } = Granularity;

export function derivedLifeTopic({ test }: Suite): void {
  test('§7 a derived stream over old data waits for backprocessing', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, [1, 3, 6]);
    const rate = await fixture.derive('rate', 'derivative', source);
    assert.equal((await datastream.getStream(rate)).pendingBackprocess, true);
    await datastream.append(source, 10, at(3));
    assert.deepEqual(await fixture.readRaw(rate), []);
    await datastream.backprocessStreams();
    assert.equal((await datastream.getStream(rate)).pendingBackprocess, false);
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    await datastream.append(source, 15, at(4));
    assert.deepEqual((await fixture.readRaw(rate)).at(-1), [4, 5]);
    await fixture.assertVerified();
  });

  test('§7 a derived stream over empty sources has nothing pending', async (fixture) => {
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    assert.equal((await fixture.datastream.getStream(rate)).pendingBackprocess, false);
  });

  test('§7 backprocessing takes dependencies first', async (fixture) => {
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(
      source,
      Array.from({ length: 50 }, (_, n) => n * n),
    );
    const first = await fixture.derive('first', 'derivative', source);
    const second = await fixture.derive('second', 'derivative', first);
    const third = await fixture.derive('third', 'sum', [source, first, second]);
    await fixture.datastream.backprocessStreams();
    assert.deepEqual(
      await fixture.readRaw(second),
      Array.from({ length: 48 }, (_, n) => [n + 2, 2]),
    );
    assert.deepEqual((await fixture.readRaw(third))[0], [2, 4 + 3 + 2]);
    for (const id of [first, second, third]) {
      assert.equal((await fixture.datastream.getStream(id)).pendingBackprocess, false);
    }
    await fixture.appendNumbers(source, [2500], 50);
    assert.deepEqual((await fixture.readRaw(third)).at(-1), [50, 2500 + 99 + 2]);
    await fixture.assertVerified();
  });

  test('§7 only streams that match the query are backprocessed', async (fixture) => {
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, [1, 2, 3]);
    const a = await fixture.derive('a', 'derivative', source);
    const b = await fixture.derive('b', 'derivative', source);
    const c = await fixture.derive('c', 'derivative', source);
    await fixture.datastream.backprocessStreams({ queryTags: { name: 'a' } });
    await fixture.datastream.backprocessStreams({ queryTags: { stream_id: b } });
    const pending = [];
    for (const id of [a, b, c]) {
      pending.push((await fixture.datastream.getStream(id)).pendingBackprocess);
    }
    assert.deepEqual(pending, [false, false, true]);
  });

  test('§7 deriveBackprocess false starts after what the source holds', async (fixture) => {
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, [1, 3, 6]);
    const rate = await fixture.derive('rate', 'derivative', source, { deriveBackprocess: false });
    assert.equal((await fixture.datastream.getStream(rate)).pendingBackprocess, false);
    await fixture.appendNumbers(source, [10, 15], 3);
    assert.deepEqual(await fixture.readRaw(rate), [[4, 5]]);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(rate), [[4, 5]]);
    // Late data of the time before it does not count either.
    await fixture.datastream.append(source, 100, at(1), { checkTimestamp: false });
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(rate), [[4, 5]]);
    await fixture.assertVerified();
  });

  test('§7 the sum of a stream with history and a new one is backprocessed', async (fixture) => {
    const old = await fixture.ensure('old');
    const fresh = await fixture.ensure('fresh');
    await fixture.appendNumbers(old, [1, 2, 3]);
    const sum = await fixture.derive('sum', 'sum', [old, fresh]);
    assert.equal((await fixture.datastream.getStream(sum)).pendingBackprocess, true);
    await fixture.appendNumbers(fresh, [10, 20], 1);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(sum), [
      [1, 12],
      [2, 23],
    ]);
  });

  test('§7 levels that were there before a derived stream count as its history', async (fixture) => {
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, new Array(41).fill(5));
    await fixture.datastream.downsampleStreams();
    const sum = await fixture.derive(
      'sum',
      'sum',
      { stream: source, granularity: Seconds10 },
      { highestGranularity: Seconds10 },
    );
    await fixture.settle();
    assert.deepEqual(
      await fixture.readRaw(sum),
      [0, 10, 20, 30].map((second) => [second, 5]),
    );
    await fixture.appendNumbers(source, new Array(10).fill(6), 41);
    await fixture.settle();
    assert.deepEqual((await fixture.readRaw(sum)).at(-1), [40, 5.9]);
    await fixture.assertVerified();
  });

  test('§7 ensureStream() of a derived stream that exists asks for no new replay', async (fixture) => {
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, [1, 2]);
    const rate = await fixture.derive('rate', 'derivative', source);
    await fixture.datastream.backprocessStreams();
    assert.equal(await fixture.derive('rate', 'derivative', source), rate);
    assert.equal((await fixture.datastream.getStream(rate)).pendingBackprocess, false);
    assert.equal((await fixture.datastream.getStream(source)).contributesTo.length, 1);
  });

  test('§7 a long history is replayed as it would have been followed live', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sources = [a, b];
    const live = await fixture.derive('live', 'sum', sources);
    const values = Array.from({ length: 20_000 }, (_, n) => (n * 7919) % 1009);
    await fixture.appendNumbers(a, values);
    await fixture.appendNumbers(b, values);
    const late = await fixture.derive('late', 'sum', sources);
    const rate = await fixture.derive('rate', 'derivative', late);
    await fixture.datastream.backprocessStreams();
    const wanted = await fixture.datastream
      .getData(live, Granularity.Seconds, { start: at(0) })
      .columns();
    const replayed = await fixture.datastream
      .getData(late, Granularity.Seconds, { start: at(0) })
      .columns();
    assert.equal(wanted.timestamps.length, 20_000);
    assert.deepEqual(replayed, wanted);
    const range = { start: at(0) };
    assert.equal(
      await fixture.datastream.getData(rate, Granularity.Seconds, range).count(),
      19_999,
    );
    await fixture.assertVerified();
  });

  test('§7 a durable store keeps what is pending and what is stale', async (fixture) => {
    if (!fixture.backend.supports.durable) return;
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, new Array(100).fill(1));
    await fixture.datastream.downsampleStreams();
    const rate = await fixture.derive('rate', 'derivative', source);
    await fixture.datastream.append(source, 9, at(45), { checkTimestamp: false });
    await fixture.reopen();
    assert.equal((await fixture.datastream.getStream(rate)).pendingBackprocess, true);
    await fixture.settle();
    assert.equal((await fixture.readLetter(source, Seconds10, 'u'))[4], 9);
    assert.equal((await fixture.datastream.getStream(rate)).pendingBackprocess, false);
    await fixture.assertVerified();
  });
}
