import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { at, open, SECONDS } from './support.ts';

describe('appends of one turn', () => {
  test('fail one by one: what is wrong with one is not the others’ business', async () => {
    const { datastream } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    const bad = [undefined, null, 42, {}, 'nobody'] as string[];
    const settled = await Promise.allSettled([
      datastream.append(id, 1, at(0)),
      ...bad.map((wrong) => datastream.append(wrong, 2, at(0))),
      datastream.append(id, 3, at(0)),
    ]);
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      ...bad.map(() => false),
      true,
    ]);
    for (const result of settled) {
      if (result.status === 'rejected') expect(result.reason.code).toBe('STREAM_NOT_FOUND');
    }
    await expect(datastream.getStream(undefined as unknown as string)).rejects.toMatchObject({
      code: 'STREAM_NOT_FOUND',
    });
  });

  test('store what was given when they were called, whatever the caller does afterwards', async () => {
    const { datastream } = await open();
    const id = await datastream.ensureStream(
      { n: 1 },
      { valueDownsamplers: [], highestGranularity: 'seconds', valueType: 'nominal' },
    );
    const value = { state: 'up', list: [1] };
    const date = new Date(at(0));
    const appending = datastream.append(id, value, date);
    value.state = 'down';
    value.list.push(2);
    date.setTime(at(50));
    await appending;
    const [stored] = await datastream.getData(id, 'seconds', { start: at(0) }).toArray();
    expect(JSON.stringify(stored)).toBe(
      JSON.stringify({ t: new Date(at(0)), v: { state: 'up', list: [1] } }),
    );
  });

  test('are refused when the clock gives no instant', async () => {
    const { datastream } = await open({ now: () => new Date(Number.NaN) });
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    await expect(datastream.append(id, 1)).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP' });
    await expect(datastream.appendTick(undefined, [id], Float64Array.of(1))).rejects.toMatchObject({
      code: 'INVALID_TIMESTAMP',
    });
    expect(await datastream.getData(id, 'seconds', { start: 0 }).count()).toBe(0);
  });

  test('give a warning once, however often they lost a race before', async () => {
    const { backend, datastream, warnings } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    const other = new Datastream(backend);
    await datastream.ensureStream({ n: 2 }, { ...SECONDS, deriveFrom: id, deriveOp: 'derivative' });
    await datastream.append(id, 1, at(0));
    let raceCount = 0;
    backend.beforeCommit = async () => {
      if (raceCount++ < 3) await other.append(id, raceCount, at(raceCount));
    };
    // The same second as the last of the others: no time has passed, so there is no derivative.
    await datastream.append(id, 9, at(3));
    expect(raceCount).toBe(4);
    expect(warnings.map(({ code }) => code)).toEqual(['INVALID_VALUE_WARNING']);
  });

  test('go on when the one who listens to warnings throws', async () => {
    const { datastream } = await open({
      onWarning: () => {
        throw new Error('not my day');
      },
    });
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    await datastream.ensureStream({ n: 2 }, { ...SECONDS, deriveFrom: id, deriveOp: 'derivative' });
    await datastream.append(id, 1, at(0));
    await datastream.append(id, 2, at(0));
    expect(await datastream.getData(id, 'seconds', { start: at(0) }).count()).toBe(2);
  });

  test('are refused where a stream has changed since the version that they expect', async () => {
    const { datastream } = await open();
    const [id, other] = [
      await datastream.ensureStream({ n: 1 }, SECONDS),
      await datastream.ensureStream({ n: 2 }, SECONDS),
    ];
    const columns = { timestamps: Float64Array.of(at(1)), values: Float64Array.of(1) };
    const { version } = await datastream.getStream(id);
    const expectVersions = { [id]: version };
    const refusal = { code: 'STREAM_APPEND_CONTENDED', message: expect.stringContaining(id) };
    await datastream.append(other, 1, at(1), { expectVersions });
    await datastream.appendColumns(id, columns, { expectVersions });
    await expect(datastream.appendColumns(id, columns, { expectVersions })).rejects.toMatchObject(
      refusal,
    );
    const items = [
      { streamId: other, value: 2, timestamp: at(2) },
      { streamId: id, value: 2, timestamp: at(2) },
    ];
    await expect(datastream.appendMultiple(items, { expectVersions })).rejects.toMatchObject(
      refusal,
    );
    await expect(
      datastream.appendTick(at(2), [other, id], Float64Array.of(2, 2), { expectVersions }),
    ).rejects.toMatchObject(refusal);
    // Of two in the same turn that expect the same, one is first.
    const current = { expectVersions: { [id]: (await datastream.getStream(id)).version } };
    const settled = await Promise.allSettled([
      datastream.appendTick(at(3), [other, id], Float64Array.of(3, 3)),
      datastream.append(id, 4, at(4), current),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    for (const [streamId, values] of [
      [id, [1, 3]],
      [other, [1, 3]],
    ] as const) {
      const data = await datastream.getData(streamId, 'seconds', { start: at(0) }).toArray();
      expect(data.map(({ v }) => v)).toEqual(values);
    }
    for (const wrong of ['1', [], { [id]: 1 }]) {
      const options = { expectVersions: wrong } as unknown as {
        expectVersions: Record<string, string>;
      };
      await expect(datastream.append(id, 5, at(5), options)).rejects.toThrow(TypeError);
    }
  });
});
