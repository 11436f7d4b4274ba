import { describe, expect, test } from '@jest/globals';
import { copyStreams } from '../../src/api/copy-streams.ts';
import { copyStores } from './copy-stores.ts';
import { assertClean, at, contentsOf, engineOn, fill } from './copy-support.ts';

const { memory, embedded } = copyStores();

/** What may happen to the source between two commits to the target. */
const CHANGES: readonly (readonly [string, (work: Work) => Promise<unknown>])[] = [
  ['appends in order', ({ datastream, ids, n }) => datastream.append(ids['a']!, n, at(500 + n))],
  [
    'late data behind the watermark',
    ({ datastream, ids, n }) =>
      datastream.append(ids['raw']!, n, at(100 + n), { checkTimestamp: false }),
  ],
  [
    'late data before the watermark',
    ({ datastream, ids, n }) =>
      datastream.append(ids['a']!, n, at(-100 + n), { checkTimestamp: false }),
  ],
  [
    'maintenance',
    async ({ datastream, ids, n }) => {
      await datastream.append(ids['b']!, n, at(30 * n), { checkTimestamp: false });
      await datastream.backprocessStreams();
      await datastream.downsampleStreams();
    },
  ],
  ['other tags', ({ datastream, ids, n }) => datastream.updateTags(ids['sum']!, { n })],
];

interface Work {
  readonly datastream: ReturnType<typeof engineOn>;
  readonly ids: Awaited<ReturnType<typeof fill>>;
  readonly n: number;
}

describe('a source that changes meanwhile', () => {
  test.each(CHANGES)('is followed through %s', async (_name, change) => {
    const [from, to] = [await embedded('from'), await memory()];
    const ids = await fill(from);
    const datastream = engineOn(from);
    let n = 0;
    to.beforeCommit = async ({ update = [] }) => {
      // Not while the family is made visible: what comes then is of a later moment.
      const isShown = update.some(({ tags }) => Object.hasOwn(tags, 'name'));
      if (n < 15 && !isShown) await change({ datastream, ids, n: n++ });
    };
    await copyStreams(from, to);
    to.beforeCommit = null;
    expect(n).toBeGreaterThan(9);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
    await assertClean(to);
  });

  test.each(CHANGES)(
    'is followed through %s while copies are broken off',
    async (_name, change) => {
      const [from, to] = [await embedded('from'), await embedded('to')];
      const ids = await fill(from);
      const datastream = engineOn(from);
      let n = 0;
      for (let round = 0; round < 12; round++) {
        const abort = new AbortController();
        let reportCount = 0;
        const onProgress = () => {
          reportCount++;
          if (reportCount > round % 8) abort.abort();
        };
        await change({ datastream, ids, n: n++ });
        await copyStreams(from, to, { signal: abort.signal, onProgress, concurrency: 2 }).catch(
          ({ name }: Error) => expect(name).toBe('AbortError'),
        );
      }
      await copyStreams(from, to);
      expect(await contentsOf(to)).toEqual(await contentsOf(from));
      await assertClean(to);
      expect(await copyStreams(from, to)).toMatchObject({ copiedCount: 0, rowCount: 0 });
    },
  );

  test('and never rests is given up, with nothing of its family to be seen', async () => {
    const [from, to] = [await memory(), await memory()];
    const ids = await fill(from);
    const datastream = engineOn(from);
    const read = from.readPage.bind(from);
    let n = 0;
    from.readPage = async (request) => {
      if (request.streamId === ids['b']) await datastream.append(ids['b'], n, at(1000 + n++));
      return read(request);
    };
    await expect(copyStreams(from, to)).rejects.toMatchObject({ code: 'STREAM_APPEND_CONTENDED' });
    from.readPage = read;
    expect(await engineOn(to).findStreams({ name: 'b' }).count()).toBe(0);
    await copyStreams(from, to);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
  });

  test('is followed after the copy was finished', async () => {
    const [from, to] = [await embedded('from'), await embedded('to')];
    const ids = await fill(from);
    await copyStreams(from, to);
    const datastream = engineOn(from);
    await datastream.append(ids['a']!, 1, at(700));
    await datastream.append(ids['kind']!, 'late', at(3), { checkTimestamp: false });
    await datastream.backprocessStreams();
    const report = await copyStreams(from, to);
    expect(report).toMatchObject({ streamCount: 14, copiedCount: 9 });
    expect(report.rowCount).toBeLessThan(3000);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
    await assertClean(to);
  });

  test('is followed also where late rows change neither record nor extent of a stream', async () => {
    const [from, to] = [await memory(), await memory()];
    const engine = engineOn(from);
    const id = await engine.ensureStream(
      { n: 1 },
      { valueDownsamplers: [], highestGranularity: 'seconds' },
    );
    for (const second of [1, 2, 5]) await engine.append(id, second, at(second));
    await copyStreams(from, to);
    await engine.append(id, 30, at(3), { checkTimestamp: false });
    expect(await copyStreams(from, to)).toMatchObject({ copiedCount: 1 });
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
    expect(await copyStreams(from, to)).toMatchObject({ copiedCount: 0, rowCount: 0 });
  });

  test('does not overwrite what the target has got since', async () => {
    const [from, to] = [await memory(), await memory()];
    const ids = await fill(from);
    await copyStreams(from, to);
    await engineOn(from).append(ids['group']!, { c: 1, s: 1, m: 1 }, at(800));
    await engineOn(to).append(ids['group']!, { c: 1, s: 2, m: 2 }, at(790));
    const before = await contentsOf(to);
    await expect(copyStreams(from, to)).rejects.toMatchObject({
      code: 'INCONSISTENT_STREAM_CONFIGURATION',
    });
    expect(await contentsOf(to)).toEqual(before);
  });
});
