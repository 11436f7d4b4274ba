import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, assertMisuse, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes } = Granularity;

/** Ten minutes of numbers from 0 on, downsampled to counts and sums. */
async function counted(fixture: Fixture, name = 'a'): Promise<StreamId> {
  const id = await fixture.ensure(name, { valueDownsamplers: ['sum', 'count'] });
  await fixture.appendNumbers(
    id,
    Array.from({ length: 601 }, (_, n) => n),
  );
  await fixture.datastream.downsampleStreams();
  return id;
}

/** What somebody finds who reads a level as callers do, in both forms. */
async function letters(
  fixture: Fixture,
  id: StreamId,
  letter: string,
): Promise<readonly unknown[]> {
  const { v } = await fixture.datastream.getData(id, Minutes, { start: at(0) }).columns();
  const column = Array.from(v?.[letter] ?? [], (value) => (Number.isNaN(value) ? null : value));
  assert.deepEqual(column, await fixture.readLetter(id, Minutes, letter));
  return column;
}

export function changingStreamsTopic({ test }: Suite): void {
  test('an added downsampler is null until the next maintenance, and the others stay', async (fixture) => {
    const { datastream } = fixture;
    const id = await counted(fixture);
    const sums = await letters(fixture, id, 's');
    await datastream.updateStream(id, { valueDownsamplers: { add: ['max', 'mean'] } });
    assert.deepEqual((await datastream.getStream(id)).valueDownsamplers, [
      ...['mean', 'sum', 'max', 'count'],
    ]);
    assert.deepEqual(await letters(fixture, id, 's'), sums);
    const filled = [59, 119, 179, 239, 299, 359, 419, 479, 539];
    const none: (number | null)[] = filled.map(() => null);
    const atOnce = fixture.byLevels({ stored: none, computed: filled });
    assert.deepEqual((await letters(fixture, id, 'u')).slice(0, 9), atOnce);
    await fixture.assertVerified();
    await datastream.downsampleStreams();
    assert.deepEqual((await letters(fixture, id, 'u')).slice(0, 9), filled);
    assert.deepEqual((await letters(fixture, id, 'm')).slice(0, 2), [29.5, 89.5]);
    assert.deepEqual(await letters(fixture, id, 's'), sums);
    await fixture.assertVerified();
  });

  test('a dropped downsampler is gone at once, and what it was made of at the next maintenance', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, new Array(601).fill(2));
    await datastream.downsampleStreams();
    await datastream.updateStream(id, { valueDownsamplers: ['sum', 'min'] });
    const [bucket] = await fixture.read(id, Minutes);
    assert.deepEqual(Object.keys(bucket!.v).sort(), ['c', 'l', 's']);
    await datastream.downsampleStreams();
    assert.deepEqual((await letters(fixture, id, 'l')).slice(0, 9), new Array(9).fill(2));
    const { block } = await fixture.backend.readPage({
      streamId: id,
      granularity: Minutes,
      range: { startMs: at(0).getTime(), endMs: at(600).getTime() },
      rowCountMax: 100,
    });
    const { u = [] } = block.columns;
    if (fixture.backend.supports.levels === 'stored') {
      assert(Array.from(u as ArrayLike<unknown>, Number).every((value) => Number.isNaN(value)));
    }
    await fixture.assertVerified();
  });

  test('statistics that are made of stored ones are there at once', async (fixture) => {
    const { datastream } = fixture;
    const id = await counted(fixture);
    await datastream.updateStream(id, { valueDownsamplers: { add: ['mean'] } });
    assert.deepEqual((await letters(fixture, id, 'm')).slice(0, 2), [29.5, 89.5]);
    const written = await datastream.downsampleStreams({ returnDatapoints: true });
    assert.deepEqual(written, []);
  });

  test('a stream gets its first downsamplers, and loses its last ones', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a', { valueDownsamplers: [] });
    await fixture.appendNumbers(id, new Array(601).fill(2));
    await datastream.updateStream(id, { valueDownsamplers: { add: ['sum'] } });
    await datastream.downsampleStreams();
    assert.deepEqual((await letters(fixture, id, 's')).slice(0, 2), [120, 120]);
    await fixture.assertVerified();
    await datastream.updateStream(id, { valueDownsamplers: [] });
    assert.deepEqual(await fixture.read(id, Minutes), []);
    assert.equal((await datastream.getStream(id)).downsampledUntil.minutes, null);
    await datastream.downsampleStreams();
    await datastream.updateStream(id, { valueDownsamplers: ['count'] });
    await datastream.downsampleStreams();
    assert.deepEqual((await letters(fixture, id, 'c')).slice(0, 2), [60, 60]);
    await fixture.assertVerified();
  });

  test('changes that nothing can follow are refused, and change nothing', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a', { valueDownsamplers: ['mean'] });
    const before = await datastream.getStream(id);
    const refused = (changes: unknown, code: string): Promise<void> =>
      assertCode(() => datastream.updateStream(id, changes as object), code);
    await refused({ valueDownsamplers: { drop: ['sum'] } }, 'UNSUPPORTED_DOWNSAMPLER');
    await refused({ valueDownsamplers: { add: ['nothing'] } }, 'UNSUPPORTED_DOWNSAMPLER');
    await refused({ valueDownsamplers: { drop: ['nothing'] } }, 'UNSUPPORTED_DOWNSAMPLER');
    await refused({ valueDownsamplers: ['most_often'] }, 'UNSUPPORTED_DOWNSAMPLER');
    await refused({ valueType: 'nominal' }, 'INCONSISTENT_STREAM_CONFIGURATION');
    await refused({ highestGranularity: 'minutes' }, 'INCONSISTENT_STREAM_CONFIGURATION');
    await refused({ deriveOp: 'sum' }, 'INVALID_OPERATOR_ARGUMENTS');
    await refused({ deriveArgs: {} }, 'UNSUPPORTED_DERIVE_OPERATOR');
    await refused({ deriveFrom: id, deriveOp: 'sum' }, 'INVALID_OPERATOR_ARGUMENTS');
    await assertMisuse(() => datastream.updateStream(id, { downsamplers: [] } as object));
    await assertMisuse(() => datastream.updateStream(id, { valueDownsamplers: 'sum' } as object));
    await assertCode(() => datastream.updateStream('none', {}), 'STREAM_NOT_FOUND');
    assert.deepEqual(await datastream.getStream(id), before);
  });

  test('a level from which others derive keeps what they read', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source', { valueDownsamplers: ['mean', 'max'] });
    const derived = await fixture.derive(
      'derived',
      'sum',
      { stream: source, granularity: Minutes },
      { highestGranularity: Minutes },
    );
    await assert.rejects(
      datastream.updateStream(source, { valueDownsamplers: { drop: ['mean'] } }),
      (error: { code?: unknown; message: string }) =>
        error.code === 'OUTSTANDING_DEPENDENCIES' && error.message.includes(derived),
    );
    await datastream.updateStream(source, { valueDownsamplers: { drop: ['max'] } });
  });

  test('other arguments count from the beginning, and for what follows', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const clamped = await fixture.derive('clamped', 'clamp', source, { deriveArgs: { max: 5 } });
    const doubled = await fixture.derive('doubled', 'sum', [clamped, source]);
    await fixture.appendNumbers(source, [1, 9, 3]);
    await datastream.updateStream(clamped, { deriveArgs: { max: 7 } });
    assert.deepEqual(await fixture.readRaw(clamped), [
      ...[
        [0, 1],
        [1, 5],
        [2, 3],
      ],
    ]);
    assert.deepEqual((await datastream.getStream(source)).contributesTo[0]?.args, { max: 7 });
    await fixture.appendNumbers(source, [8], 3);
    assert.deepEqual((await fixture.readRaw(clamped)).at(-1), [3, 7]);
    await datastream.downsampleStreams();
    assert.deepEqual(
      (await fixture.readRaw(clamped)).map(([, value]) => value),
      [1, 7, 3, 7],
    );
    assert.deepEqual(
      (await fixture.readRaw(doubled)).map(([, value]) => value),
      [2, 16, 6, 15],
    );
    await fixture.assertVerified();
  });

  test('another operator and other sources count from the beginning', async (fixture) => {
    const { datastream } = fixture;
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    await fixture.appendPairs(
      [a, b],
      [
        [1, 10],
        [4, 20],
        [9, 30],
      ],
    );
    const derived = await fixture.derive('derived', 'difference', a);
    const next = await fixture.derive('next', 'difference', derived);
    await fixture.settle();
    await datastream.updateStream(derived, { deriveOp: 'sum', deriveFrom: [a, b] });
    const { derivedFrom } = await datastream.getStream(derived);
    assert.equal(derivedFrom?.op, 'sum');
    assert.deepEqual(
      derivedFrom?.sources.map(({ stream }) => stream),
      [a, b],
    );
    await datastream.append(a, 16, at(3));
    await datastream.append(b, 40, at(3));
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(derived), [
      ...[
        [0, 11],
        [1, 24],
        [2, 39],
        [3, 56],
      ],
    ]);
    assert.deepEqual((await fixture.readRaw(next)).slice(-2), [
      ...[
        [2, 15],
        [3, 17],
      ],
    ]);
    await fixture.assertVerified();
    await datastream.updateStream(derived, { deriveFrom: b });
    assert.deepEqual((await datastream.getStream(a)).contributesTo, []);
    await datastream.append(a, 99, at(4));
    await datastream.downsampleStreams();
    assert.deepEqual(
      (await fixture.readRaw(derived)).map(([, value]) => value),
      [10, 20, 30, 40],
    );
    await fixture.assertVerified();
    await datastream.deleteStreams({ name: 'a' });
  });

  test('a derivation by a tag query gets another query, another operator, and named sources', async (fixture) => {
    const { datastream } = fixture;
    const other = fixture.open(fixture.backend);
    const make = (name: string, site: string): Promise<StreamId> =>
      fixture.ensure(name, { tags: { site } });
    const [a, b, c] = [await make('a', 'x'), await make('b', 'x'), await make('c', 'y')];
    await fixture.appendPairs(
      [a, b],
      [
        [1, 10],
        [2, 20],
      ],
    );
    await fixture.appendNumbers(c, [100, 300]);
    const total = await fixture.derive('total', 'sum', { query: { site: 'x' } });
    const next = await fixture.derive('next', 'difference', total);
    const values = async (id: StreamId): Promise<readonly unknown[]> =>
      (await fixture.readRaw(id)).map(([, value]) => value);
    await fixture.settle();
    assert.deepEqual(await values(total), [11, 22]);
    await other.append(a, 3, at(2));
    await datastream.updateStream(total, { deriveOp: 'max' });
    await other.append(b, 30, at(2));
    await fixture.settle();
    assert.deepEqual(await values(total), [10, 20, 30]);
    await fixture.assertVerified();
    await datastream.updateStream(total, { deriveFrom: { query: { site: 'y' } } });
    assert.deepEqual((await datastream.getStream(a)).contributesTo, []);
    assert.equal((await datastream.getStream(c)).contributesTo[0]?.streamId, total);
    await other.append(c, 600, at(2));
    await fixture.settle();
    assert.deepEqual(await values(total), [100, 300, 600]);
    assert.deepEqual(await values(next), [200, 300]);
    await fixture.assertVerified();
    await datastream.updateStream(total, { deriveOp: 'sum', deriveFrom: [a, c] });
    assert.equal((await datastream.getStream(total)).derivedFrom?.query, undefined);
    await make('d', 'y');
    await fixture.settle();
    assert.deepEqual(await values(total), [101, 302, 603]);
    await fixture.assertVerified();
    await datastream.updateStream(total, { deriveFrom: { query: { site: 'x' } } });
    const late = await make('e', 'x');
    await datastream.append(late, 1000, at(0));
    await fixture.settle();
    assert.deepEqual(await values(total), [1011, 22, 33]);
    assert.deepEqual(await values(next), [22 - 1011, 11]);
    const refused = (changes: object): Promise<void> =>
      assertCode(() => datastream.updateStream(total, changes), 'INVALID_OPERATOR_ARGUMENTS');
    await refused({ deriveOp: 'difference' });
    await refused({ deriveOp: 'clamp', deriveFrom: { query: { site: 'x' } } });
    await fixture.assertVerified();
  });

  test('a derivation that would lead back to itself is refused, with the loop', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const first = await fixture.derive('first', 'difference', source);
    const second = await fixture.derive('second', 'difference', first);
    await assert.rejects(
      datastream.updateStream(first, { deriveFrom: second }),
      (error: { code?: unknown; message: string }) =>
        error.code === 'INVALID_OPERATOR_ARGUMENTS' &&
        error.message.includes(
          `${first} {"name":"first"} → ${second} {"name":"second"} → ${first} {"name":"first"}`,
        ),
    );
    await assertCode(
      () => datastream.updateStream(first, { deriveFrom: first }),
      'INVALID_OPERATOR_ARGUMENTS',
    );
  });

  test('what lies behind a longer way is computed after it', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const first = await fixture.derive('first', 'difference', source);
    const second = await fixture.derive('second', 'difference', first);
    const other = await fixture.derive('other', 'clamp', source, { deriveArgs: { max: 100 } });
    const last = await fixture.derive('last', 'sum', [other, source]);
    await datastream.updateStream(other, { deriveOp: 'sum', deriveFrom: second });
    await fixture.appendNumbers(source, [0, 1, 4, 9]);
    assert.deepEqual(await fixture.readRaw(last), [
      ...[
        [2, 2 + 4],
        [3, 2 + 9],
      ],
    ]);
    await datastream.updateStream(other, { deriveFrom: source });
    await datastream.append(source, 16, at(4));
    await fixture.settle();
    assert.deepEqual(
      (await fixture.readRaw(last)).map(([, value]) => value),
      [0, 2, 8, 18, 32],
    );
    await fixture.assertVerified();
  });

  test('a stream without datapoints may come to derive from others, and one with some may not', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, [1, 4]);
    const empty = await fixture.ensure('empty');
    const full = await fixture.ensure('full');
    await fixture.appendNumbers(full, [1]);
    const change = { deriveFrom: source, deriveOp: 'difference' } as const;
    await datastream.updateStream(empty, change);
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(empty), [[1, 3]]);
    await assertCode(
      () => datastream.updateStream(full, change),
      'INCONSISTENT_STREAM_CONFIGURATION',
    );
    await assertCode(
      () => datastream.append(empty, 1, at(9)),
      'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED',
    );
  });

  test('a stream that got other tags is found by these', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await datastream.updateTags(id, { name: 'b' });
    assert.equal(await fixture.ensure('b'), id);
    assert.notEqual(await fixture.ensure('a'), id);
  });

  test('appends go on while a stream is changed, and none is lost', async (fixture) => {
    const { datastream } = fixture;
    const other = fixture.open(fixture.backend);
    const source = await fixture.ensure('source', { valueDownsamplers: ['count'] });
    const derived = await fixture.derive('derived', 'clamp', source, { deriveArgs: { max: 1 } });
    for (let round = 0; round < 12; round++) {
      const appends = [0, 1, 2].map((n) =>
        (n === 1 ? datastream : other).append(source, round, at(round * 7 + n), {
          checkTimestamp: false,
        }),
      );
      await Promise.all([
        ...appends,
        datastream.updateStream(derived, { deriveArgs: { max: round } }),
        other.updateStream(source, {
          valueDownsamplers: round % 2 === 0 ? ['count', 'max'] : ['count', 'sum'],
        }),
        ...(round % 3 === 0 ? [datastream.downsampleStreams()] : []),
      ]);
    }
    await fixture.settle();
    assert.equal((await fixture.readRaw(source)).length, 36);
    assert.deepEqual(await fixture.readRaw(derived), await fixture.readRaw(source));
    assert.deepEqual((await fixture.readLetter(source, Seconds10, 'c')).slice(0, 2), [6, 3]);
    await fixture.assertVerified();
  });
}
