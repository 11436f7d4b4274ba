// Batches over HTTP, and the same datapoints by `appendColumns` in process.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { runChild } from '../child.mjs';
import { cpuSeconds } from '../peers/process-usage.mjs';
import { Connection } from '../peers/server.mjs';
import { BODY_POINT_COUNT, FORMS, partsOf, seriesOf } from './bodies.mjs';
import { withService } from './service-process.mjs';
import { withStore } from './store.mjs';

const BARE = fileURLToPath(new URL('./bare-writes.mjs', import.meta.url));
/** What levels lack that do not follow appends; a run in the middle would be in one figure and not in another. */
const NO_MAINTENANCE = { 'jobs.maintenance.enabled': false };

/**
 * Each sender has streams of its own and one connection, and posts its next body when the last one is acknowledged.
 * What the compiler learns of the first bodies, and that streams are made, is before the clock.
 */
export async function measureWrites({ folder, form, ...size }) {
  const settings = { ...NO_MAINTENANCE, 'ingest.granularity': size.granularity };
  const rate = await withService(
    folder,
    (service) => postAll(service, { form, ...size }),
    settings,
  );
  return { ...rate, ...(await settle(folder, size)) };
}

/** The same streams, rows, and parts, in process; levels follow appends, as they do in the service, or not. */
export async function measureBare({ folder, followsAppends, ...size }) {
  const { printed, failure } = await runChild(BARE, { folder, followsAppends, ...size });
  if (failure !== null) throw new Error(failure);
  return { ...printed, ...(await settle(folder, size)) };
}

async function postAll({ pid, port }, { form, ...size }) {
  const { path, type, bodyOf } = FORMS[form];
  const senders = Array.from({ length: size.senderCount }, (_, sender) => {
    const bodies = {};
    for (const kind of ['warm', 'measured']) {
      const series = seriesOf({ sender, ...size });
      bodies[kind] = Array.from({ length: size.bodyCount }, (_, body) =>
        bodyOf(partsOf(series, { body, ...size }), kind),
      );
    }
    return { bodies, connection: new Connection(port) };
  });
  const post = ({ connection }, body) => connection.post(path, body, { 'content-type': type });
  const postEach = (bodiesOf) =>
    Promise.all(
      senders.map(async (sender) => {
        for (const body of bodiesOf(sender.bodies)) await post(sender, body);
      }),
    );
  await postEach(({ warm }) => warm);
  await postEach(({ measured: [first] }) => [first]);
  const cpuBefore = cpuSeconds(pid);
  const startedMs = performance.now();
  await postEach(({ measured: [, ...rest] }) => rest);
  const seconds = (performance.now() - startedMs) / 1000;
  const usedSeconds = cpuSeconds(pid) - cpuBefore;
  for (const { connection } of senders) connection.close();
  const pointCount = size.senderCount * (size.bodyCount - 1) * BODY_POINT_COUNT;
  return { rate: pointCount / seconds, cpuSecondsPerMillion: (usedSeconds / pointCount) * 1e6 };
}

/** Computes the levels that did not follow. @returns what that took, and a hash of all that was stored, however it came */
function settle(folder, size) {
  return withStore(folder, async (datastream) => {
    const before = process.cpuUsage();
    await datastream.downsampleStreams();
    const { user, system } = process.cpuUsage(before);
    // Of what came before the clock was started, too.
    const pointCount = 2 * size.senderCount * size.bodyCount * BODY_POINT_COUNT;
    return {
      maintenanceSecondsPerMillion: (user + system) / pointCount,
      hash: await hashOf(datastream, size),
    };
  });
}

async function hashOf(datastream, size) {
  const hash = createHash('sha256');
  for (let sender = 0; sender < size.senderCount; sender++) {
    for (let index = 0; index < size.streamCount; index++) {
      const tags = { kind: 'measured', stream: `s${sender}-${index}` };
      const [{ id, highestGranularity }] = await datastream.findStreams(tags).toArray();
      const data = datastream.getData(id, highestGranularity, { start: 0 });
      const { timestamps, values } = await data.columns();
      for (const column of [timestamps, values]) hash.update(new Uint8Array(column.buffer));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
