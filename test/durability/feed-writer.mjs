// Writes to the streams of a store that another process follows. Arguments: URL of the store, first round, number of
// rounds. Prints that it is done at the end.
import { writeSync } from 'node:fs';
import { Datastream, openBackend } from '../../dist/index.js';

const [url, firstText, countText] = process.argv.slice(2);
const first = Number(firstText);
const BASE_MS = Date.UTC(2000, 0, 1, 12);

const datastream = new Datastream(await openBackend(url));
const [a, b] = await Promise.all(
  ['a', 'b'].map(async (name) => (await datastream.findStreams({ name }).at(0)).id),
);

for (let round = first; round < first + Number(countText); round++) {
  const ms = BASE_MS + round * 10_000;
  await datastream.appendTick(ms, [a, b], Float64Array.of(round, -round));
  await datastream.append(a, round, ms + 5000);
  if (round % 10 === 5) await datastream.append(b, 1, ms - 35_000, { checkTimestamp: false });
  if (round % 20 === 9) await datastream.upsert(a, 2, ms - 10_000);
  if (round % 30 === 19) await datastream.deleteData(a, { start: ms });
  if (round % 30 === 25) await datastream.downsampleStreams();
}
await datastream.close();
writeSync(1, `${JSON.stringify({ isDone: true })}\n`);
