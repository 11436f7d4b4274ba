import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const BASE_MS = Date.UTC(2026, 0, 1);
const KILL_COUNT = 6;

let folder: string;
let url: string;
const services: ServiceProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datastream-service-'));
  url = `embedded:${join(folder, 'store')}`;
});
afterEach(async () => {
  for (const { child } of services.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Of nobody: made for this test, and good for a hundred years. */
function fixture(name: string): string {
  return fileURLToPath(new URL(`./${name}.fixture.pem`, import.meta.url));
}

async function started(...args: Parameters<typeof startService>): Promise<ServiceProcess> {
  const service = await startService(...args);
  services.push(service);
  return service;
}

/** A body of datapoints of one writer, and where it goes. */
interface Body {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

type BodyOf = (name: string, rows: readonly number[]) => Body;

const timeOf = (row: number): number => BASE_MS + row * 1000;

/** Ways to write, of which each writer takes one. */
const WAYS: readonly BodyOf[] = [
  (writer, rows) => ({
    path: '/api/v1/write',
    type: 'application/json',
    text: JSON.stringify(rows.map((row) => ({ tags: { writer }, t: timeOf(row), v: row }))),
  }),
  (writer, rows) => ({
    path: '/api/v1/write',
    type: 'application/json',
    text: JSON.stringify({ tags: { writer }, timestamps: rows.map(timeOf), values: rows }),
  }),
  (writer, rows) => ({
    path: '/write?precision=ms',
    type: 'text/plain',
    text: rows.map((row) => `m,writer=${writer} v=${row} ${timeOf(row)}`).join('\n'),
  }),
  (writer, rows) => ({
    path: '/api/v1/write',
    type: 'text/csv',
    text: ['timestamp,value,writer', ...rows.map((row) => `${timeOf(row)},${row},${writer}`)].join(
      '\n',
    ),
  }),
];

/** Writes batches to a service until it is gone; a number stands for the second and the value of a row. */
class Writer {
  readonly acknowledged: number[] = [];
  readonly sent: Set<number> = new Set();
  readonly name: string;
  readonly #bodyOf: BodyOf;
  #next = 0;

  constructor(name: string, bodyOf: BodyOf) {
    this.name = name;
    this.#bodyOf = bodyOf;
  }

  async write(address: string): Promise<void> {
    for (;;) {
      const rows = Array.from({ length: 1 + (this.#next % 7) }, () => this.#next++);
      for (const row of rows) this.sent.add(row);
      const { path, type, text } = this.#bodyOf(this.name, rows);
      let status: number;
      let outcome: string;
      try {
        const answer = await fetch(`${address}${path}`, {
          method: 'POST',
          headers: { 'content-type': type },
          body: text,
        });
        ({ status } = answer);
        outcome = await answer.text();
      } catch {
        return;
      }
      if (status === 503) return;
      // What stock clients get for everything stored is an empty answer.
      const isAccepted =
        status === 204 || (JSON.parse(outcome) as Outcome).accepted === rows.length;
      expect({ status, outcome, isAccepted }).toMatchObject({ isAccepted: true });
      this.acknowledged.push(...rows);
    }
  }
}

interface Outcome {
  readonly accepted: number;
}

function newWriters(): readonly Writer[] {
  return WAYS.map((bodyOf, n) => new Writer(`w${n}`, bodyOf));
}

async function assertStored(writers: readonly Writer[]): Promise<void> {
  const datastream = new Datastream(await openBackend(url));
  for (const { name, acknowledged, sent } of writers) {
    const stream = await datastream.findStreams({ writer: name }).at(0);
    const level = stream!.highestGranularity;
    const data = datastream.getData(stream!.id, level, { start: BASE_MS });
    const { timestamps, values } = await data.columns();
    const stored = new Set(values as Iterable<number>);
    expect(stored.size).toBe(values!.length);
    expect([...timestamps]).toEqual([...stored].map((row) => BASE_MS + row * 1000));
    expect([...stored].filter((row) => !sent.has(row))).toEqual([]);
    expect(acknowledged.filter((row) => !stored.has(row))).toEqual([]);
  }
  const report = await datastream.verify();
  expect(report.differenceCount).toBe(0);
  await datastream.close();
}

describe('a service process', () => {
  test(`that is killed ${KILL_COUNT} times under load keeps what it acknowledged`, async () => {
    const writers = newWriters();
    for (let round = 0; round < KILL_COUNT; round++) {
      const service = await started(url, [
        'access.mode=open',
        'log=error',
        'jobs.maintenance.schedule=* * * * * *',
      ]);
      const before = writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
      const writing = writers.map((writer) => writer.write(service.address));
      while (
        writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0) <
        before + 50
      ) {
        await sleep(5);
      }
      await sleep(round * 150);
      expect(await service.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      await Promise.all(writing);
      await assertStored(writers);
    }
  });

  test('that is asked to end finishes what it has begun, and ends without an error', async () => {
    const service = await started(url);
    const writers = newWriters();
    const writing = writers.map((writer) => writer.write(service.address));
    while (writers.some(({ acknowledged }) => acknowledged.length < 20)) await sleep(5);
    expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await Promise.all(writing);
    expect(service.errors()).toBe('');
    await assertStored(writers);
  });

  test('listens to nobody else as long as there is no user', async () => {
    const refused = started(url, ['access.mode=open', 'log=error'], { host: '0.0.0.0' });
    await expect(refused).rejects.toThrow(
      /can be reached from elsewhere, and there is no user yet/,
    );
  });

  test('speaks TLS with a certificate', async () => {
    const certificate = fixture('localhost-certificate');
    const key = fixture('localhost-key');
    const service = await started(url, [
      'access.mode=open',
      'log=error',
      `tls.certificate=${certificate}`,
      `tls.key=${key}`,
    ]);
    expect(service.address).toMatch(/^https:/);
    const answer = await new Promise<{ status: number | undefined; hsts: unknown }>(
      (resolve, reject) => {
        request(`${service.address}/healthz`, { rejectUnauthorized: false }, (response) => {
          const { statusCode: status, headers } = response.resume();
          resolve({ status, hsts: headers['strict-transport-security'] });
        })
          .on('error', reject)
          .end();
      },
    );
    expect(answer).toEqual({ status: 200, hsts: expect.stringContaining('max-age') });
    expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
