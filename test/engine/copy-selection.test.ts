import { describe, expect, test } from '@jest/globals';
import { copyStreams } from '../../src/api/copy-streams.ts';
import type { Backend } from '../../src/backends/backend.ts';
import type { BackendManifest } from '../../src/backends/manifest.ts';
import type { StreamRecord } from '../../src/model/stream.ts';
import { copyStores } from './copy-stores.ts';
import {
  assertClean,
  assertSettles,
  at,
  contentsOf,
  engineOn,
  fill,
  snapshots,
} from './copy-support.ts';

const { memory } = copyStores();

describe('a selection', () => {
  test('drops the dependents that are not in it, and is completed by a larger one', async () => {
    const [from, to] = [await memory(), await memory()];
    const ids = await fill(from);
    const report = await copyStreams(from, to, { queryTags: { name: 'a' } });
    expect(report).toMatchObject({ streamCount: 1, copiedCount: 1 });
    const copied = await engineOn(to).getStream(ids['a']!);
    expect(copied.contributesTo).toEqual([]);
    expect(copied.tags).toEqual({ name: 'a', site: { room: 12 } });
    await assertClean(to);
    await copyStreams(from, to);
    const byId = (contents: readonly unknown[]): readonly unknown[] =>
      contents.map((item) => JSON.stringify(item)).sort();
    expect(byId(await contentsOf(to))).toEqual(byId(await contentsOf(from)));
    expect(await copyStreams(from, to, { queryTags: { name: 'a' } })).toMatchObject({
      copiedCount: 0,
    });
  });

  test('with a derived stream and without its source is refused', async () => {
    const [from, to] = [await memory(), await memory()];
    await fill(from);
    await expect(copyStreams(from, to, { queryTags: { name: 'rate' } })).rejects.toMatchObject({
      code: 'OUTSTANDING_DEPENDENCIES',
    });
    expect(await snapshots(to)).toEqual([]);
  });
});

describe('a target that has less', () => {
  test.each<[string, Partial<BackendManifest>, string[]]>([
    ['high accuracy', { highAccuracy: false }, ['exact']],
    ['equal timestamps', { equalTimestamps: false }, ['a', 'rate', 'sum', 'both', 'raw']],
    ['already downsampled values', { groupValues: false }, ['group']],
    [
      'the downsamplers min, max, sum_squares, std_dev, median',
      { valueDownsamplers: ['mean', 'sum', 'count'] },
      ['a', 'b', 'exact', 'empty'],
    ],
    ['timestamps from', { timestampRange: { startMs: 0, endMs: at(420) } }, ['a', 'rate']],
  ])(
    'than %s refuses the streams that need it by name, before anything is written',
    async (missing, supports, names) => {
      const [from, to] = [await memory(), await memory(supports)];
      const ids = await fill(from);
      const error: unknown = await copyStreams(from, to).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'NOT_SUPPORTED' });
      const { message } = error as Error;
      expect(message).toContain(missing);
      for (const name of names) {
        expect(message).toContain(ids[name]!);
        expect(message).toContain(`"name":"${name}"`);
      }
      expect(await snapshots(to)).toEqual([]);
    },
  );

  test('takes the rest, without what derives from streams that are left out', async () => {
    const [from, to] = [await memory(), await memory({ highAccuracy: false, groupValues: false })];
    const ids = await fill(from);
    const datastream = engineOn(from);
    await datastream.ensureStream(
      { name: 'of group' },
      {
        valueDownsamplers: [],
        highestGranularity: 'seconds',
        deriveFrom: [ids['group']!, ids['b']!],
        deriveOp: 'sum',
      },
    );
    const report = await copyStreams(from, to, { skipUnsupported: true });
    expect(report.unsupported.map(({ tags, reasons }) => [tags['name'], reasons])).toEqual([
      ['exact', ['high accuracy']],
      ['group', ['already downsampled values']],
      ['of group', [`its source ${ids['group']}`]],
    ]);
    expect(report.streamCount).toBe(12);
    expect(await snapshots(to)).toHaveLength(12);
    const { contributesTo } = await engineOn(to).getStream(ids['b']!);
    expect(contributesTo).toHaveLength(2);
    await assertSettles(to);
  });
});

/** In what steps a stream came to be what it is, is its own matter. */
function withoutEdits(content: unknown): unknown {
  const { record, ...rest } = content as { readonly record: StreamRecord };
  const { edits: _edits, ...others } = record;
  return { ...rest, record: others };
}

describe('levels that a server computes', () => {
  test('take no rows, and keep their watermarks', async () => {
    const [from, to] = [await memory(), await memory({ levels: 'computed' })];
    await fill(from);
    const levels: unknown[] = [];
    to.beforeCommit = async ({ writes = [] }) => {
      for (const write of writes) if (write.kind === 'replace') levels.push(write);
    };
    await copyStreams(from, to);
    to.beforeCommit = null;
    expect(levels).toEqual([]);
    const records = async (backend: Backend): Promise<unknown> =>
      (await snapshots(backend)).map(({ record }) => record);
    expect(await records(to)).toEqual(await records(from));
    expect(await copyStreams(from, to)).toMatchObject({ copiedCount: 0 });
  });

  test('are missing in a target that stores them, until they are computed there', async () => {
    const [stored, to] = [await memory(), await memory()];
    const ids = await fill(stored);
    const from = await memory({ levels: 'computed' });
    await copyStreams(stored, from);
    const unread = from.readPage.bind(from);
    from.readPage = async (request) => {
      const [snapshot] = await from.readStreams([request.streamId]);
      expect(request.granularity.name).toBe(snapshot!.record.highestGranularity);
      return unread(request);
    };
    await copyStreams(from, to);
    const { downsampledUntil } = await engineOn(to).getStream(ids['a']!);
    expect(Object.values(downsampledUntil).every((until) => until === null)).toBe(true);
    await assertClean(to);
    expect(await copyStreams(from, to)).toMatchObject({ copiedCount: 0, rowCount: 0 });
    await assertSettles(to);
    await engineOn(stored).backprocessStreams();
    await engineOn(stored).downsampleStreams();
    await assertSettles(stored);
    expect((await contentsOf(to)).map(withoutEdits)).toEqual(
      (await contentsOf(stored)).map(withoutEdits),
    );
  });
});
