import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ServiceProcess, startService } from '../operations/service-process.ts';
import { type Hook, hookServer } from './receivers.ts';

const TIMEOUT_MS = 240_000;
const ROUND_COUNT = 2;
const SECRET = 'a secret of sixteen or more';
const SETTINGS = [
  'access.mode=open',
  'log=error',
  'jobs.alerts.schedule=* * * * * *',
  `alerts.webhookSecret=${SECRET}`,
];

let folder: string;
let services: ServiceProcess[];
let hook: Hook;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datastream-alerts-'));
  services = [];
  hook = await hookServer();
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.end('SIGKILL')));
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<ServiceProcess> {
  const service = await startService(`embedded:${folder}`, SETTINGS);
  services.push(service);
  return service;
}

async function kill(service: ServiceProcess): Promise<void> {
  services = services.filter((other) => other !== service);
  await service.end('SIGKILL');
}

// biome-ignore lint/suspicious/noExplicitAny: what routes answer, which the tests look into
async function call(path: string, body?: object): Promise<any> {
  const answer = await fetch(`${services[0]!.address}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  expect(answer.ok).toBe(true);
  return answer.json();
}

/** What the receiver was told, each once: whoever was killed may not know that he told it. */
function told(): { readonly id: string; readonly event: string; readonly incident: string }[] {
  const byId = new Map(hook.received.map(({ body }) => [JSON.parse(body).id, JSON.parse(body)]));
  return [...byId.values()];
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(50);
}

/** Until each service has held the rules against the streams from now on, twice. */
async function looksPass(): Promise<void> {
  const sinceMs = Date.now();
  for (const { address } of services) {
    for (let lookCount = 0, last = ''; lookCount < 2; ) {
      const answer = await fetch(`${address}/api/v1/jobs/alerts`);
      const { lastRun } = (await answer.json()) as { lastRun: { start: string } | null };
      const isNew =
        lastRun !== null && lastRun.start !== last && Date.parse(lastRun.start) > sinceMs;
      if (isNew) lookCount++;
      last = lastRun?.start ?? last;
      await delay(50);
    }
  }
}

describe('alerts of two services on one store', () => {
  test(
    'are told once each, in order and signed, whichever of them is killed',
    async () => {
      await start();
      await start();
      const write = async (v: number): Promise<void> => {
        expect((await call('/write', { tags: { name: 'a' }, v })).accepted).toBe(1);
      };
      await write(0);
      const rule = await call('/alerts/rules', {
        name: 'too much',
        target: { query: { name: 'a' } },
        condition: { kind: 'threshold', above: 10, clear: 5 },
        destinations: [{ kind: 'webhook', url: hook.url }],
      });
      await looksPass();
      for (let round = 0; round < ROUND_COUNT; round++) {
        await write(20);
        await kill(services[round % 2]!);
        await start();
        await until(() => told().length === 2 * round + 1);
        // Between the two limits nothing changes.
        await write(8);
        await looksPass();
        await kill(services[0]!);
        await write(3);
        await start();
        await until(() => told().length === 2 * round + 2);
      }
      await looksPass();
      const all = told();
      expect(all.map(({ event }) => event)).toEqual(
        Array.from({ length: ROUND_COUNT }, () => ['firing', 'resolved']).flat(),
      );
      expect(new Set(all.map(({ incident }) => incident)).size).toBe(ROUND_COUNT);
      for (const { headers, body } of hook.received) {
        const [, t, v1] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['x-datastream-signature']))!;
        expect(v1).toBe(createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex'));
        expect(headers['idempotency-key']).toBe(JSON.parse(body).id);
      }
      const { events } = await call(`/alerts/history?rule=${rule.id}`);
      expect(events).toHaveLength(2 * ROUND_COUNT);
    },
    TIMEOUT_MS,
  );

  test(
    'on missing datapoints fire once, also where all of them were down meanwhile',
    async () => {
      const first = await start();
      await call('/write', { tags: { name: 'a' }, t: new Date(Date.now() - 7_200_000), v: 1 });
      await call('/alerts/rules', {
        name: 'silent',
        target: { query: { name: 'a' } },
        condition: { kind: 'stale', after: '1h' },
        destinations: [{ kind: 'webhook', url: hook.url }],
      });
      await until(() => told().length === 1);
      await looksPass();
      await kill(first);
      await Promise.all([start(), start()]);
      await looksPass();
      expect(told().map(({ event }) => event)).toEqual(['firing']);
      await call('/write', { tags: { name: 'a' }, v: 1 });
      await until(() => told().length === 2);
      await looksPass();
      expect(told().map(({ event }) => event)).toEqual(['firing', 'resolved']);
    },
    TIMEOUT_MS,
  );
});
