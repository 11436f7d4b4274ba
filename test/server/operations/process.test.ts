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
const WRITER_COUNT = 4;
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

/** Writes batches to a service until it is gone; a number stands for the second and the value of a row. */
class Writer {
  readonly acknowledged: number[] = [];
  readonly sent: Set<number> = new Set();
  readonly name: string;
  #next = 0;

  constructor(name: string) {
    this.name = name;
  }

  async write(address: string): Promise<void> {
    for (;;) {
      const rows = Array.from({ length: 1 + (this.#next % 7) }, () => this.#next++);
      for (const row of rows) this.sent.add(row);
      const body = rows.map((row) => ({
        tags: { writer: this.name },
        t: new Date(BASE_MS + row * 1000).toISOString(),
        v: row,
      }));
      let answer: Response;
      let outcome: { accepted: number };
      try {
        answer = await fetch(`${address}/api/v1/write`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        outcome = (await answer.json()) as { accepted: number };
      } catch {
        return;
      }
      if (answer.status === 503) return;
      expect({ status: answer.status, outcome }).toMatchObject({
        status: 200,
        outcome: { accepted: rows.length },
      });
      this.acknowledged.push(...rows);
    }
  }
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
    const writers = Array.from({ length: WRITER_COUNT }, (_, n) => new Writer(`w${n}`));
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
    const writers = Array.from({ length: WRITER_COUNT }, (_, n) => new Writer(`w${n}`));
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
