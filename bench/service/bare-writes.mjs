// node bare-writes.mjs '{ folder, … }': appends in process what the senders post, prints the rate as JSON.
import { BODY_POINT_COUNT, partsOf, seriesOf } from './bodies.mjs';
import { DEFINITION, withStore } from './store.mjs';

const { folder, followsAppends, ...size } = JSON.parse(process.argv[2]);
const figures = await withStore(folder, measure, {
  liveDownsampling: followsAppends && 'unless-bulk',
});
process.stdout.write(`${JSON.stringify(figures)}\n`);

async function measure(datastream) {
  const senders = [];
  for (let sender = 0; sender < size.senderCount; sender++) {
    senders.push(await appendsOf(datastream, sender));
  }
  await appendEach(
    datastream,
    senders.map(({ warm }) => warm),
  );
  await appendEach(
    datastream,
    senders.map(({ measured: [first] }) => [first]),
  );
  const measured = senders.map(({ measured: [, ...rest] }) => rest);
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await appendEach(datastream, measured);
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  const pointCount = size.senderCount * (size.bodyCount - 1) * BODY_POINT_COUNT;
  return { rate: pointCount / seconds, cpuSecondsPerMillion: (user + system) / pointCount };
}

/** What the bodies of a sender have: for each, streams with their columns. */
async function appendsOf(datastream, sender) {
  const series = seriesOf({ sender, ...size });
  const definition = { ...DEFINITION, highestGranularity: size.granularity };
  const appends = {};
  for (const kind of ['warm', 'measured']) {
    const ids = new Map();
    for (const { name } of series) {
      ids.set(name, await datastream.ensureStream({ kind, stream: name }, definition));
    }
    appends[kind] = Array.from({ length: size.bodyCount }, (_, body) =>
      partsOf(series, { body, ...size }).map(({ name, ...columns }) => [ids.get(name), columns]),
    );
  }
  return appends;
}

/** Streams of one body are appended together, and share commits. */
function appendEach(datastream, senders) {
  return Promise.all(
    senders.map(async (bodies) => {
      for (const body of bodies) {
        await Promise.all(body.map(([id, columns]) => datastream.appendColumns(id, columns)));
      }
    }),
  );
}
