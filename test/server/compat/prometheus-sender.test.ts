import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { describeWithSender } from '../../servers/senders.ts';
import { type Place, startServer } from '../../servers/server-process.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 100;

/** Scrapes itself, and sends what it finds. */
function configuration({ port }: Place, target: number): string {
  const self = { job_name: 'self', static_configs: [{ targets: [`127.0.0.1:${port}`] }] };
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: '1s', external_labels: { site: 'here' } },
    scrape_configs: [self],
    remote_write: [
      {
        url: `http://127.0.0.1:${target}/api/v1/prom/write`,
        queue_config: { batch_send_deadline: '1s' },
        metadata_config: { send_interval: '1s' },
      },
    ],
  });
}

/** Waits until what is asked for is there. */
async function untilThere(
  { service: { datastream } }: TestService,
  isEnough: () => Promise<boolean>,
): Promise<void> {
  const lastMs = Date.now() + DEADLINE_MS;
  while (!(await isEnough())) {
    if (Date.now() > lastMs) {
      const count = await datastream.findStreams().count();
      throw new Error(`Not there after ${DEADLINE_MS} ms; there are ${count} streams.`);
    }
    await sleep(POLL_MS);
  }
}

describeWithSender('prometheus', (file) => {
  test(
    'sends what it scrapes, and finds nothing to complain about',
    async () => {
      const opened = await openTestService();
      const { datastream } = opened.service;
      await opened.app.listen({ host: '127.0.0.1', port: 0 });
      const { port: target } = opened.app.server.address() as AddressInfo;
      const server = await startServer({
        name: 'prometheus',
        stopSignal: 'SIGTERM',
        command: ({ folder, port }) => ({
          file,
          args: [
            `--config.file=${join(folder, 'prometheus.yml')}`,
            `--storage.tsdb.path=${join(folder, 'data')}`,
            `--web.listen-address=127.0.0.1:${port}`,
          ],
        }),
        url: (port) => `http://127.0.0.1:${port}`,
        prepare: (place) =>
          writeFile(join(place.folder, 'prometheus.yml'), configuration(place, target)),
        ask: async (port) => {
          const { ok, status } = await fetch(`http://127.0.0.1:${port}/-/ready`);
          if (!ok) throw new Error(`status ${status}`);
        },
      });
      try {
        const up = { metric: 'up', job: 'self', site: 'here' };
        await untilThere(opened, async () => {
          const [stream] = await datastream.findStreams(up).toArray();
          if (stream === undefined) return false;
          const data = datastream.getData(stream.id, stream.highestGranularity, { start: 0 });
          return (await data.count()) >= 3;
        });
        const [stream] = await datastream.findStreams(up).toArray();
        const rows = datastream.getData(stream!.id, stream!.highestGranularity, { start: 0 });
        expect(new Set((await rows.toArray()).map(({ v }) => v))).toContain(1);
        // It tells types about once a second, from where counters are known.
        await untilThere(opened, async () => {
          const streams = await datastream.findStreams().toArray();
          return streams.some(({ derivedFrom }) => derivedFrom?.op === 'counter_derivative');
        });
        const answer = await fetch(`${server.url}/metrics`);
        const page = await answer.text();
        const sumOf = (name: string): number =>
          [...page.matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'gm'))].reduce(
            (sum, [, value]) => sum + Number(value),
            0,
          );
        expect(sumOf('prometheus_remote_storage_samples_failed_total')).toBe(0);
        expect(sumOf('prometheus_remote_storage_samples_total')).toBeGreaterThan(0);
      } finally {
        await server.stop();
        await opened.close();
      }
    },
    2 * DEADLINE_MS,
  );
});
