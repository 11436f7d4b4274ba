// Many streams that are only looked for.
import { folderSizeBytes } from '../peers/process-usage.mjs';
import { ensure, ensureMany, openStore } from './growing-store.mjs';
import { medianMs, secondsOf } from './stopwatch.mjs';

export async function measureRecords({ folder, size: recordCount }) {
  let datastream = await openStore(folder);
  const createSeconds = await secondsOf(() => ensureMany(datastream, recordCount, tagsOf));
  await datastream.checkpoint();
  await datastream.close();
  const bytesPerRecord = folderSizeBytes(folder) / recordCount;
  const find = async (i) => {
    const { node, sensor } = tagsOf((i * 7919) % recordCount);
    const found = await datastream.findStreams({ node, sensor }).toArray();
    if (found.length !== 1 || found[0].tags.node !== node) throw new Error('it found another');
  };
  const reopenSeconds = await secondsOf(async () => {
    datastream = await openStore(folder);
    await find(0);
  });
  const findMs = await medianMs(300, find);
  const ensureMs = await medianMs(1000, (i) =>
    ensure(datastream, tagsOf((i * 7919) % recordCount)),
  );
  if ((await datastream.findStreams().count()) !== recordCount) {
    throw new Error('ensureStream made a stream that was there');
  }
  await datastream.close();
  return {
    createRate: recordCount / createSeconds,
    findMs,
    ensureMs,
    reopenSeconds,
    bytesPerRecord,
  };
}

function tagsOf(index) {
  return { node: `n${Math.floor(index / 20)}`, sensor: index % 20, site: `s${index % 7}` };
}
