import assert from 'node:assert/strict';
import { assertCode, assertMisuse, at, type Fixture, type Suite } from '../fixture.ts';

const DEFINITION = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;

/** A stream tagged `{ name, site: 'x' }`. */
function member(fixture: Fixture, name: string): ReturnType<Fixture['ensure']> {
  return fixture.ensure(name, { tags: { site: 'x' } });
}

function total(fixture: Fixture, deriveOp = 'sum'): ReturnType<Fixture['ensure']> {
  return fixture.derive(`${deriveOp} of x`, deriveOp, { query: { site: 'x' } });
}

export function aggregatesTopic({ test }: Suite): void {
  test('an aggregate over a query takes whoever has a value in a bucket', async (fixture) => {
    const { datastream } = fixture;
    const [a, b] = [await member(fixture, 'a'), await member(fixture, 'b')];
    await fixture.ensure('other', { tags: { site: 'y' } });
    await fixture.ensure('nominal', { tags: { site: 'x' }, valueType: 'nominal' });
    await fixture.appendSeries(a, [1, 2, null]);
    const ids = new Map<string, Awaited<typeof a>>();
    for (const op of ['sum', 'mean', 'min', 'max', 'count']) ids.set(op, await total(fixture, op));
    await datastream.downsampleStreams();
    await fixture.appendSeries(b, [10, 20], 1);
    await datastream.append(a, 4, at(3));
    await datastream.append(b, 7, at(0), { checkTimestamp: false });
    await datastream.downsampleStreams();
    const expected = {
      sum: [8, 12, 20, 4],
      mean: [4, 6, 20, 4],
      min: [1, 2, 20, 4],
      max: [7, 10, 20, 4],
      count: [2, 2, 1, 1],
    };
    for (const [op, values] of Object.entries(expected)) {
      assert.deepEqual(await fixture.readRaw(ids.get(op)!), [...values.entries()], op);
    }
    const { derivedFrom } = await datastream.getStream(ids.get('sum')!);
    assert.deepEqual(derivedFrom, { op: 'sum', args: {}, sources: [], query: { site: 'x' } });
    const { contributesTo } = await datastream.getStream(a);
    assert.deepEqual(contributesTo.map(({ op }) => op).sort(), Object.keys(expected).sort());
    assert.equal((await datastream.verify()).differenceCount, 0);
    assert.deepEqual(await datastream.getTags(ids.get('sum')!), { name: 'sum of x' });
  });

  test('streams that match later are taken in, also from another process', async (fixture) => {
    const { datastream } = fixture;
    const sum = await total(fixture);
    const a = await member(fixture, 'a');
    await datastream.append(a, 1, at(0));
    assert.deepEqual(await fixture.readRaw(sum), [[0, 1]]);
    const other = fixture.open(fixture.backend);
    const b = await other.ensureStream({ name: 'b' }, { ...DEFINITION, tags: { site: 'x' } });
    await other.append(b, 10, at(0));
    assert.deepEqual(await fixture.readRaw(sum), [[0, 11]]);
    await datastream.append(a, 2, at(1));
    await other.append(b, 20, at(1));
    await datastream.append(a, 3, at(2));
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 11],
      [1, 22],
      [2, 3],
    ]);
    const c = await fixture.ensure('c');
    await fixture.appendSeries(c, [100, 200]);
    await other.updateTags(c, { site: 'x' });
    await datastream.append(c, 300, at(2));
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 111],
      [1, 222],
      [2, 303],
    ]);
  });

  test('streams that no longer match, or are deleted, are let go', async (fixture) => {
    const { datastream } = fixture;
    const sum = await total(fixture);
    const ids = await Promise.all(['a', 'b', 'c'].map((name) => member(fixture, name)));
    for (const [index, id] of ids.entries()) await fixture.appendSeries(id, [10 ** index]);
    assert.deepEqual(await fixture.readRaw(sum), [[0, 111]]);
    await datastream.removeTag(ids[0]!, 'site');
    await datastream.deleteStreams({ name: 'b' });
    await datastream.append(ids[0]!, 5, at(1));
    await datastream.append(ids[2]!, 7, at(1));
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 100],
      [1, 7],
    ]);
    assert.deepEqual((await datastream.getStream(ids[0]!)).contributesTo, []);
    await datastream.deleteStreams({ name: 'sum of x' });
    assert.deepEqual((await datastream.getStream(ids[2]!)).contributesTo, []);
  });

  test('an aggregate takes neither itself nor what derives from it', async (fixture) => {
    const { datastream } = fixture;
    const tags = { site: 'x' };
    const from = { query: { site: 'x' } };
    const sum = await fixture.derive('sum', 'sum', from, { tags });
    const count = await fixture.derive('count', 'count', from, { tags });
    const rate = await fixture.derive('rate', 'derivative', sum, { tags });
    const a = await member(fixture, 'a');
    const twice = await fixture.derive('twice', 'sum', [a], { tags });
    await fixture.appendSeries(a, [1, 3]);
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 2],
      [1, 6],
    ]);
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(rate), [[1, 4]]);
    assert.deepEqual(await fixture.readRaw(count), [
      [0, 3],
      [1, 4],
    ]);
    const contributions = (await datastream.getStream(twice)).contributesTo;
    assert.deepEqual(new Set(contributions.map(({ streamId }) => streamId)), new Set([sum, count]));
    // Deeper sources make it, and what derives from it, deeper.
    assert.equal((await datastream.verify()).differenceCount, 0);
  });

  test('finer streams contribute the means of their buckets, coarser ones nothing', async (fixture) => {
    const { datastream } = fixture;
    const fine = await member(fixture, 'fine');
    const tags = { site: 'x' };
    const own = await fixture.ensure('own', { tags, highestGranularity: '10seconds' });
    await fixture.ensure('coarse', { tags, highestGranularity: 'minutes' });
    await fixture.ensure('bare', { tags, valueDownsamplers: [] });
    const sum = await fixture.derive(
      'sum',
      'sum',
      { query: tags },
      { highestGranularity: '10seconds' },
    );
    await fixture.appendSeries(fine, [1, 2, 3]);
    await datastream.append(own, 10, at(0));
    await datastream.append(own, 20, at(10));
    await datastream.append(fine, 4, at(20));
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 12],
      [10, 20],
    ]);
  });

  test('only datapoints after its creation count, where history is not wanted', async (fixture) => {
    const { datastream } = fixture;
    const a = await member(fixture, 'a');
    await datastream.append(a, 1, at(0));
    fixture.nowMs = at(10).getTime();
    const from = { query: { site: 'x' } };
    const sum = await fixture.derive('sum', 'sum', from, { deriveBackprocess: false });
    await datastream.append(a, 2, at(10));
    await datastream.append(a, 3, at(11));
    await datastream.append(await member(fixture, 'b'), 4, at(5));
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(sum), [[11, 3]]);
  });

  test('streams created all at once are all taken in', async (fixture) => {
    const { datastream } = fixture;
    const names = Array.from({ length: 20 }, (_, index) => `${index}`);
    const [count, ...ids] = await Promise.all([
      total(fixture, 'count'),
      ...names.map((name) => member(fixture, name)),
    ]);
    await datastream.appendTick(at(0), ids, new Float64Array(ids.length).fill(1));
    assert.deepEqual(await fixture.readRaw(count), [[0, 20]]);
    await fixture.datastream.appendTick(at(1), ids.slice(0, 7), new Float64Array(7));
    await fixture.datastream.appendTick(at(1), ids.slice(7), new Float64Array(13));
    assert.deepEqual((await fixture.readRaw(count))[1], [1, 20]);
  });

  test('queries are refused where they make no sense', async (fixture) => {
    const { datastream } = fixture;
    const from = { query: { site: 'x' } };
    const sum = await total(fixture);
    assert.equal(await total(fixture), sum);
    for (const definition of [
      { deriveOp: 'derivative', deriveFrom: from },
      { deriveOp: 'expression', deriveFrom: from, deriveArgs: { expression: 'a' } },
      { deriveOp: 'sum', deriveFrom: from, deriveArgs: { of: 1 } },
    ]) {
      await assertCode(() => fixture.ensure('wrong', definition), 'INVALID_OPERATOR_ARGUMENTS');
    }
    const atHours = { ...from, granularity: 'hours' };
    await assertMisuse(() => fixture.ensure('wrong', { deriveOp: 'sum', deriveFrom: atHours }));
    const inconsistent = 'INCONSISTENT_STREAM_CONFIGURATION';
    const named = { deriveOp: 'sum', deriveFrom: [await member(fixture, 'a')] };
    await assertCode(() => fixture.ensure('sum of x', named), inconsistent);
    const other = { deriveOp: 'sum', deriveFrom: { query: {} } };
    await assertCode(() => fixture.ensure('sum of x', other), inconsistent);
    await assertCode(
      () => datastream.updateStream(sum, { deriveOp: 'difference' }),
      'INVALID_OPERATOR_ARGUMENTS',
    );
  });
}
