import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { openTestService } from './service.fixture.ts';

describe('the Graphite port of the service', () => {
  test('is open when it is asked for, and everything that came is stored before the service has ended', async () => {
    const { service, close } = await openTestService({ ingest: { graphitePort: 0 } });
    await service.start();
    const socket = connect(service.graphite!.port!, '127.0.0.1');
    await once(socket, 'connect');
    await new Promise((resolve) => socket.write('host.load 0.5 1700000000\nbad\n', resolve));
    while (service.graphite!.counters.openConnections === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await close();
    expect(service.graphite!.counters).toMatchObject({
      accepted: 1,
      dropped: 1,
      openConnections: 0,
    });
    const metrics = await service.metrics.text();
    expect(metrics).toContain('protocol="graphite",result="accepted"} 1');
    expect(metrics).toContain('protocol="graphite",result="dropped"} 1');
    socket.destroy();
  });

  test('is closed by default', async () => {
    const { service, close } = await openTestService();
    await service.start();
    expect(service.graphite).toBeNull();
    await close();
  });

  test('is named when it is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { service, close } = await openTestService({ ingest: { graphitePort: port } });
    await expect(service.start()).rejects.toThrow(String(port));
    await close();
    taken.close();
  });
});
