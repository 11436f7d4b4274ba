import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type { StreamDefinition } from '../../src/api/types.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { type BackendName, describeWith } from '../servers/available.ts';
import { BASE_MS, linesOf } from './child.ts';

const WORKER = fileURLToPath(new URL('./process-worker.mjs', import.meta.url));
const LIFE_MS = 6000;

interface Line {
  readonly acknowledged?: readonly [name: string, second: number, value: number];
  readonly error?: string;
  readonly isDone?: boolean;
}

async function worker(url: string, role: string, name: string): Promise<readonly Line[]> {
  const child = spawn(process.execPath, [WORKER, url, role, name, String(LIFE_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = linesOf<Line>(child.stdout);
  const [code] = await once(child, 'close');
  expect({ role, name, code }).toEqual({ role, name, code: 0 });
  expect(lines.at(-1)).toEqual({ isDone: true });
  return lines;
}

async function createStreams(datastream: Datastream): Promise<void> {
  const ensure = (name: string, definition: Partial<StreamDefinition> = {}) =>
    datastream.ensureStream(
      { name },
      {
        tags: { kind: 'dense' },
        valueDownsamplers: ['mean', 'min', 'max'],
        highestGranularity: Granularity.Seconds,
        ...definition,
      },
    );
  const a = await ensure('a');
  const b = await ensure('b');
  await ensure('shared', { tags: { kind: 'sparse' } });
  await ensure('present');
  await ensure('sum', { deriveOp: 'sum', deriveFrom: [a, b] });
}

async function rowsOf(
  datastream: Datastream,
  name: string,
): Promise<(readonly [second: number, value: number])[]> {
  const stream = await datastream.findStreams({ name }).at(0);
  assert(stream !== undefined, `stream ${name} exists`);
  const { timestamps, values } = await datastream
    .getData(stream.id, Granularity.Seconds, { start: BASE_MS })
    .columns();
  return [...timestamps].map((ms, row) => [(ms - BASE_MS) / 1000, values![row] as number]);
}

async function assertAgree(url: string): Promise<void> {
  let datastream = new Datastream(await openBackend(url));
  const { equalTimestamps } = datastream.supports;
  try {
    await createStreams(datastream);
    await datastream.close();
    const outputs = await Promise.all([
      worker(url, 'writer', 'a'),
      worker(url, 'writer', 'b'),
      worker(url, 'contender', '0'),
      worker(url, 'contender', '10000000'),
      ...(equalTimestamps ? [worker(url, 'present', '0'), worker(url, 'present', '10000000')] : []),
      worker(url, 'maintainer', ''),
      worker(url, 'reader', ''),
    ]);
    const lines = outputs.flat();
    const errors = new Set(lines.flatMap(({ error }) => error ?? []));
    errors.delete('STREAM_APPEND_CONTENDED');
    expect([...errors]).toEqual([]);
    datastream = new Datastream(await openBackend(url));
    for (const name of ['a', 'b', 'shared', ...(equalTimestamps ? ['present'] : [])]) {
      const acknowledged = lines
        .flatMap((line) => (line.acknowledged?.[0] === name ? [line.acknowledged] : []))
        .map(([, second, value]) => `${second} ${value}`);
      const stored = (await rowsOf(datastream, name)).map(
        ([second, value]) => `${second} ${value}`,
      );
      expect(acknowledged.length).toBeGreaterThanOrEqual(10);
      expect(stored.sort()).toEqual(acknowledged.sort());
    }
    await assertConsistent(datastream);
  } finally {
    await datastream.close();
  }
}

async function assertConsistent(datastream: Datastream): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await datastream.backprocessStreams();
    await datastream.downsampleStreams({ queryTags: { kind: 'dense' } });
  }
  const b = new Map(await rowsOf(datastream, 'b'));
  const wanted = (await rowsOf(datastream, 'a')).flatMap(([second, value]) =>
    b.has(second) ? [[second, value + b.get(second)!]] : [],
  );
  expect(await rowsOf(datastream, 'sum')).toEqual(wanted);
  const differences: unknown[] = [];
  await datastream.verify({ onDifference: (difference) => differences.push(difference) });
  expect(differences).toEqual([]);
}

describe('several processes on one store lose nothing, double nothing and agree', () => {
  test('on an embedded store', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-processes-'));
    try {
      await assertAgree(`embedded:${folder}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  for (const backend of ['postgresql', 'mongodb', 'influxdb'] satisfies BackendName[]) {
    describeWith(backend, ({ createStore }) => {
      test('on a server', async () => {
        const store = await createStore();
        await assertAgree(store.url);
        await store.drop();
      });
    });
  }
});
