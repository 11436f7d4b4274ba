import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { type Frame, Frames } from '../v1/frames.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const BASE_MS = Date.UTC(2026, 0, 1);
const DEFINITION = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;

let folder: string;
let url: string;
let service: ServiceProcess;
/** Of another process than the service. */
let writer: Datastream;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datastream-live-'));
  url = `embedded:${join(folder, 'store')}`;
  service = await startService(url);
  writer = new Datastream(await openBackend(url));
});
afterEach(async () => {
  await writer.close();
  service.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function follow(query: string, lastEventId?: number): Promise<Frames> {
  const headers: Record<string, string> =
    lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
  return new Frames(await fetch(`${service.address}/api/v1/events?${query}`, { headers }));
}

/** The next event of the stream that is of that kind; ids only grow meanwhile. */
async function nextOf(frames: Frames, kind: string, streamId: string): Promise<Frame> {
  for (let last = 0; ; ) {
    const frame = (await frames.next())!;
    expect(frame.id).toBeGreaterThan(last);
    last = frame.id;
    if (frame.event === kind && frame.data['streamId'] === streamId) return frame;
  }
}

test('what another process does is told: streams that come and go, datapoints, corrections, derived streams', async () => {
  const frames = await follow('tags__of=pump');
  expect((await frames.next())!.event).toBe('ready');
  const id = await writer.ensureStream({ of: 'pump' }, DEFINITION);
  await nextOf(frames, 'created', id);
  const at = (second: number): Date => new Date(BASE_MS + second * 1000);
  for (let second = 0; second < 10; second++) await writer.append(id, second, at(second));
  for (let count = 0; count < 10; ) {
    const { data } = await nextOf(frames, 'appended', id);
    const values = data['values'] as number[];
    expect(values).toEqual(values.map((_, row) => count + row));
    count += values.length;
  }
  await writer.replaceData(id, { start: at(4), end: at(5) }, [{ timestamp: at(4), value: 40 }]);
  const corrected = { reason: 'data', position: { count: 1 } };
  expect((await nextOf(frames, 'changed', id)).data).toMatchObject({
    ...corrected,
    from: '2026-01-01T00:00:04Z',
  });
  await writer.deleteData(id, { start: at(2), end: at(3) });
  expect((await nextOf(frames, 'changed', id)).data).toMatchObject({
    ...corrected,
    from: '2026-01-01T00:00:02Z',
  });
  await writer.append(id, 7, at(1), { checkTimestamp: false });
  expect((await nextOf(frames, 'changed', id)).data).toMatchObject({
    ...corrected,
    from: '2026-01-01T00:00:01Z',
  });
  const derived = await writer.ensureStream(
    { of: 'pump', rate: true },
    { ...DEFINITION, deriveFrom: id, deriveOp: 'derivative' },
  );
  await nextOf(frames, 'created', derived);
  await writer.append(id, 50, at(10));
  await writer.append(id, 52, at(11));
  const { data } = await nextOf(frames, 'appended', derived);
  expect((data['values'] as number[]).length).toBeGreaterThan(0);
  await writer.deleteStreams({ rate: true });
  await nextOf(frames, 'deleted', derived);
  await frames.cancel();
});

test('a reader goes on behind what he knows, and is told where the service cannot say what he missed', async () => {
  const id = await writer.ensureStream({ of: 'pump' }, DEFINITION);
  const append = (second: number) => writer.append(id, second, BASE_MS + second * 1000);
  const first = await follow('');
  await first.next();
  await append(1);
  const known = (await nextOf(first, 'appended', id)).id;
  await first.cancel();
  await append(2);
  await append(3);
  const again = await follow('', known);
  const missed: number[] = [];
  let last = known;
  while (missed.length < 2) {
    const frame = (await again.next())!;
    expect(frame).toMatchObject({ event: 'appended', data: { streamId: id } });
    missed.push(...(frame.data['values'] as number[]));
    last = frame.id;
  }
  expect(missed).toEqual([2, 3]);
  expect(await service.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  await append(4);
  service = await startService(url);
  const anew = await follow('', last);
  const reset = (await anew.next())!;
  expect(reset).toMatchObject({
    event: 'reset',
    data: { streams: [{ streamId: id, position: { latest: '2026-01-01T00:00:04Z', count: 1 } }] },
  });
  expect(reset.id).toBeGreaterThan(last);
  await append(5);
  expect((await nextOf(anew, 'appended', id)).data['values']).toEqual([5]);
  await anew.cancel();
});
