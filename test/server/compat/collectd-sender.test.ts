import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { describeWithSender } from '../../servers/senders.ts';
import { startServer } from '../../servers/server-process.ts';
import { openTestService } from '../service.fixture.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 50;

/** Samples this host each second, and sends what it finds to a port of Graphite. */
function configuration({
  file,
  folder,
  port,
}: {
  file: string;
  folder: string;
  port: number;
}): string {
  const root = dirname(dirname(file));
  return `
Hostname "here"
FQDNLookup false
BaseDir "${folder}"
PIDFile "${folder}/collectd.pid"
PluginDir "${join(root, 'lib', 'collectd')}"
TypesDB "${join(root, 'share', 'collectd', 'types.db')}"
Interval 1
LoadPlugin load
LoadPlugin uptime
LoadPlugin write_graphite
<Plugin write_graphite>
  <Node "service">
    Host "127.0.0.1"
    Port "${port}"
    Protocol "tcp"
  </Node>
</Plugin>
`;
}

describeWithSender('collectd', (file) => {
  test(
    'sends what it samples, and nothing of it is refused',
    async () => {
      const { service, close } = await openTestService({ ingest: { graphitePort: 0 } });
      await service.start();
      const graphite = service.graphite!;
      const sender = await startServer({
        name: 'collectd',
        stopSignal: 'SIGTERM',
        command: ({ folder }) => ({ file, args: ['-f', '-C', join(folder, 'collectd.conf')] }),
        url: () => 'graphite:',
        prepare: ({ folder }) =>
          writeFile(
            join(folder, 'collectd.conf'),
            configuration({ file, folder, port: graphite.port! }),
          ),
        ask: async () => {
          if (graphite.counters.openConnections === 0) throw new Error('it is not there yet');
        },
      });
      try {
        const lastMs = Date.now() + DEADLINE_MS;
        const countOf = async (path: string): Promise<number> => {
          const [stream] = await service.datastream.findStreams({ path }).toArray();
          if (stream === undefined) return 0;
          const { id, highestGranularity } = stream;
          return service.datastream.getData(id, highestGranularity, { start: 0 }).count();
        };
        // The buffer of the sender is written when it is full, or old, or when it ends.
        while ((await countOf('here.uptime.uptime')) < 2 && Date.now() < lastMs) {
          await sleep(POLL_MS);
        }
        await sender.stop();
        while (graphite.counters.openConnections > 0 || graphite.counters.waiting > 0) {
          await sleep(POLL_MS);
        }
        expect(await countOf('here.uptime.uptime')).toBeGreaterThanOrEqual(2);
        expect(await countOf('here.load.load.shortterm')).toBeGreaterThanOrEqual(2);
        expect(graphite.counters.dropped).toBe(0);
      } finally {
        await sender.stop();
        await close();
      }
    },
    2 * DEADLINE_MS,
  );
});
