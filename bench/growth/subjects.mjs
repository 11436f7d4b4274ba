// What grows, at which sizes, and the figures of each, in the order of the report.

const RSS = { title: 'peak memory of the process', unit: 'MB' };
const BYTES = { title: 'stored bytes a point', unit: 'bytes' };

export const SUBJECTS = {
  streams: {
    title: 'Streams: 6,000,000 points, tick by tick, over so many streams',
    sizes: [1000, 10_000, 100_000],
    hugeSizes: [],
    smokeSizes: [10, 100],
    load: async () => (await import('./streams.mjs')).measureStreams,
    figures: {
      createRate: { title: 'streams created', unit: 'streams/s' },
      ingestRate: { title: 'appendTick, durable', unit: 'points/s', goal: '≥ 1.2 M' },
      rssIngestMb: { title: 'peak memory until then', unit: 'MB', goal: '≤ 700' },
      checkpointSeconds: { title: 'checkpoint', unit: 's' },
      closeSeconds: { title: 'close', unit: 's' },
      reopenSeconds: { title: 'open again, and read an hour of a stream', unit: 's', goal: '≤ 1' },
      firstTickSeconds: { title: 'the first tick after that', unit: 's' },
      readMs: { title: 'read an hour of a stream, raw, p50', unit: 'ms' },
      rollupRate: { title: 'all levels at once', unit: 'points/s' },
      bytesPerPoint: BYTES,
      rssMb: RSS,
    },
  },
  points: {
    title: 'Points of one stream',
    sizes: [1_000_000, 10_000_000],
    hugeSizes: [100_000_000],
    smokeSizes: [20_000, 200_000],
    load: async () => (await import('./points.mjs')).measurePoints,
    figures: {
      ingestRate: { title: 'appendColumns of 10,000, durable', unit: 'points/s' },
      lastTenthRate: { title: '… the last tenth of them', unit: 'points/s' },
      rollupRate: { title: 'all levels at once', unit: 'points/s' },
      readRawMs: { title: 'read an hour, raw, anywhere, p50', unit: 'ms' },
      readLevelMs: { title: 'read a day at minutes, anywhere, p50', unit: 'ms' },
      scanRate: { title: 'scan of raw data, block by block', unit: 'points/s' },
      reopenSeconds: { title: 'open again, and read an hour', unit: 's' },
      bytesPerPoint: BYTES,
      rssMb: RSS,
    },
  },
  records: {
    title: 'Stream records',
    sizes: [1000, 10_000, 100_000],
    hugeSizes: [1_000_000],
    smokeSizes: [100, 1000],
    load: async () => (await import('./records.mjs')).measureRecords,
    figures: {
      createRate: { title: 'streams created, 1,000 at once', unit: 'streams/s' },
      findMs: { title: 'find one by two tags, p50', unit: 'ms', goal: '≤ 5' },
      ensureMs: { title: 'ensureStream of an existing one, p50', unit: 'ms', goal: '≤ 0.2' },
      reopenSeconds: { title: 'open again, and find one', unit: 's' },
      bytesPerRecord: { title: 'stored bytes a record', unit: 'bytes' },
      rssMb: RSS,
    },
  },
};
