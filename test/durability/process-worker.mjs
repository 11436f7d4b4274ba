// One process of several on a store. Arguments: URL of the store, role, name, milliseconds to live.
// Prints each acknowledged datapoint, each error by its code, and at the end that it is done.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Datastream, openBackend } from '../../dist/index.js';

const [url, role, name, lifeText] = process.argv.slice(2);
const endMs = Date.now() + Number(lifeText);
const BASE_MS = Date.UTC(2000, 0, 1, 12);

const datastream = new Datastream(await openBackend(url), {
  onWarning: ({ code, cause }) => {
    if (code !== 'INVALID_VALUE_WARNING') print({ error: `${code} ${String(cause)}` });
  },
});

/** A writer that others keep from writing for so long goes on until it has written as much, but not forever. */
const ACKNOWLEDGED_COUNT_MIN = 10;
const lastMs = endMs + 60_000;
let acknowledgedCount = 0;

function print(line) {
  if (line.acknowledged !== undefined) acknowledgedCount++;
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function idOf(streamName) {
  return (await datastream.findStreams({ name: streamName }).at(0)).id;
}

/** Runs until time is up; errors are reported and do not end it. */
async function repeat(work, countMin = 0) {
  const isOver = () => Date.now() > (acknowledgedCount < countMin ? lastMs : endMs);
  for (let index = 0; !isOver(); index++) {
    try {
      await work(index);
    } catch (error) {
      print({ error: error.code ?? String(error.stack) });
    }
  }
}

const ROLES = {
  /** Writes a stream of its own, one datapoint a second of its own time. */
  async writer() {
    const id = await idOf(name);
    await repeat(async (index) => {
      const { datapoint } = await datastream.append(id, index, BASE_MS + index * 1000);
      print({ acknowledged: [name, (datapoint.t - BASE_MS) / 1000, index] });
    }, ACKNOWLEDGED_COUNT_MIN);
  },

  /**
   * Writes the stream that others write too, at its own times or at the present. Where equal timestamps
   * overwrite, at seconds that the other contender leaves out.
   */
  async contender() {
    const id = await idOf('shared');
    const offset = Number(name);
    const own = offset === 0 ? 0 : 1;
    await repeat(async (index) => {
      const value = offset + index;
      const isPast = index % 2 === 0 || !datastream.supports.equalTimestamps;
      const at = isPast ? BASE_MS + (index * 2 + own) * 1000 : undefined;
      const { datapoint } = await datastream.append(id, value, at, { checkTimestamp: false });
      print({ acknowledged: ['shared', (datapoint.t - BASE_MS) / 1000, value] });
    }, ACKNOWLEDGED_COUNT_MIN);
  },

  /** Writes at the present, with the check of time on: nobody's clock is behind on one machine. */
  async present() {
    const id = await idOf('present');
    const offset = Number(name);
    await repeat(async (index) => {
      const value = offset + index;
      const { datapoint } = await datastream.append(id, value);
      print({ acknowledged: ['present', (datapoint.t - BASE_MS) / 1000, value] });
    }, ACKNOWLEDGED_COUNT_MIN);
  },

  async maintainer() {
    await repeat(async () => {
      // Written streams only: gaps of years lie between the explicit times of the shared one and now.
      await datastream.downsampleStreams({ queryTags: { kind: 'dense' } });
      await datastream.backprocessStreams();
      await sleep(20);
    });
  },

  async reader() {
    const ids = [await idOf('a'), await idOf('b'), await idOf('sum')];
    let countBefore = 0;
    await repeat(async () => {
      let count = 0;
      for (const id of ids) {
        let previousMs = Number.NEGATIVE_INFINITY;
        for await (const { t } of datastream.getData(id, 'seconds', { start: BASE_MS })) {
          if (t.getTime() <= previousMs) print({ error: 'rows out of order, or twice' });
          previousMs = t.getTime();
          count++;
        }
        await datastream.getData(id, '10seconds', { start: BASE_MS, reverse: true }).count();
      }
      if (count < countBefore) print({ error: 'rows vanished' });
      countBefore = count;
      await sleep(20);
    });
  },
};

await ROLES[role]();
await datastream.close();
print({ isDone: true });
