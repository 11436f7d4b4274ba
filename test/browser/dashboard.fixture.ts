import type { AddressInfo } from 'node:net';
import type { Datastream } from '../../src/api/datastream.ts';
import { openTestService, type TestService } from '../server/service.fixture.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 10_000;

/** A service with a port, and streams to look at. */
export interface TestDashboard {
  readonly url: string;
  readonly opened: TestService;
  readonly ids: { readonly temperature: string; readonly rate: string; readonly door: string };
  close(): Promise<void>;
}

export async function openDashboard(): Promise<TestDashboard> {
  const opened = await openTestService();
  const ids = await fill(opened.service.datastream);
  await opened.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = opened.app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, opened, ids, close: () => opened.close() };
}

/** Two days of a temperature, what is derived from it, and a door. */
async function fill(datastream: Datastream): Promise<TestDashboard['ids']> {
  const nowMs = Date.now();
  const definition = {
    valueDownsamplers: ['mean', 'min', 'max', 'count'],
    highestGranularity: 'seconds',
  };
  const temperature = await datastream.ensureStream(
    { sensor: 't1', site: 'north' },
    {
      ...definition,
      tags: { title: 'Cellar temperature', unit: '°C', visualization: { type: 'line' } },
    },
  );
  const rate = await datastream.ensureStream(
    { sensor: 't1', site: 'north', kind: 'change' },
    {
      ...definition,
      tags: { title: 'Change of temperature' },
      deriveFrom: temperature,
      deriveOp: 'derivative',
    },
  );
  const door = await datastream.ensureStream(
    { sensor: 'door' },
    {
      tags: { title: 'Front door' },
      valueType: 'nominal',
      valueDownsamplers: ['count'],
      highestGranularity: 'seconds',
    },
  );
  const count = (48 * HOUR_MS) / STEP_MS;
  const timestamps = Float64Array.from(
    { length: count },
    (_, row) => nowMs - (count - row) * STEP_MS,
  );
  const values = timestamps.map((ms) => 18 + 3 * Math.sin(ms / HOUR_MS));
  await datastream.appendColumns(temperature, { timestamps, values });
  await datastream.append(door, 'open', nowMs - 3 * HOUR_MS);
  await datastream.append(door, 'closed', nowMs - HOUR_MS);
  await datastream.downsampleStreams();
  return { temperature, rate, door };
}
