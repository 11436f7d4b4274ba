// What is measured of one backend, with fixed inputs.
import { Datastream, openBackend } from '../../dist/index.js';
import { markBatches, markTicks } from './ingest-marks.mjs';
import { markDownsampling, markScheduledRuns, markYear } from './level-marks.mjs';
import { Results } from './results.mjs';

export const FULL_SIZE = {
  roundCount: 7,
  batchRowCount: 10_000,
  batchesPerRound: 10,
  streamCount: 1000,
  ticksPerRound: 20,
  singlesPerRound: 200,
  downsampleRoundCount: 3,
  downsamplePointCount: 1_000_000,
  maintainedStreamCount: 200,
  seriesDayCount: 365,
  windowDayCount: 30,
  readCount: 200,
};

/** Small, and the same code: tests run it. */
export const SMOKE_SIZE = {
  roundCount: 2,
  batchRowCount: 500,
  batchesPerRound: 2,
  streamCount: 20,
  ticksPerRound: 2,
  singlesPerRound: 3,
  downsampleRoundCount: 1,
  downsamplePointCount: 10_000,
  maintainedStreamCount: 4,
  seriesDayCount: 4,
  windowDayCount: 1,
  readCount: 5,
};

/** Runs all marks of one backend. */
export async function measureBackend({ bare, createUrl, sizeBytes }, size, log) {
  const datastream = new Datastream(await openBackend(await createUrl()));
  const results = new Results(datastream.supports);
  const bench = { datastream, bare, size, log, results };
  const { streamCount, ticksPerRound, singlesPerRound } = size;
  try {
    const marks = [
      await markBatches(bench),
      await markTicks(bench, {
        name: `append, ticks of ${streamCount.toLocaleString('en')} streams`,
        streamCount,
        ticksPerRound,
      }),
      await markTicks(bench, {
        name: 'append, one datapoint after the other',
        streamCount: 1,
        ticksPerRound: singlesPerRound,
      }),
      await markDownsampling(bench),
      ...(await markScheduledRuns(bench)),
      ...(await markYear(bench, { createUrl, sizeBytes })),
    ];
    return { server: bare?.server ?? null, marks, hashes: results.digests() };
  } finally {
    await datastream.close();
  }
}
