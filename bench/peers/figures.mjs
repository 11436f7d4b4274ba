// What is measured, in the order of the report.

const POINTS = { unit: 'points/s', isRate: true };
const SECONDS = { unit: 's', isRate: false };
const MILLISECONDS = { unit: 'ms', isRate: false };
const BYTES = { unit: 'bytes', isRate: false };

/** Of a rate more is better, of everything else less. */
export const FIGURES = [
  { name: 'w1_ingest', title: 'W1 ingest, batches of 10,000', ...POINTS },
  { name: 'w1_ingest_cold', title: '… the first work of its process', ...POINTS },
  {
    name: 'w1_levels',
    title: 'W1 ingest with all levels kept (peers: rolled up at the end)',
    ...POINTS,
  },
  { name: 'w1_levels_once', title: 'W1 ingest, then all levels at once', ...POINTS },
  { name: 'w2_ingest', title: 'W2 ingest, tick by tick', ...POINTS },
  { name: 'w2_ingest_cold', title: '… the first work of its process', ...POINTS },
  { name: 'w2_live', title: 'W2 ingest, levels kept current', ...POINTS },
  { name: 'w2_live_derived', title: '… and counter derivatives and a sum of gauges', ...POINTS },
  { name: 'w1_rollup', title: 'W1 levels of everything at once', ...SECONDS },
  { name: 'w2_rollup', title: 'W2 levels of everything at once', ...SECONDS },
  { name: 'deriv', title: 'derivatives of all counters of W2, stored', ...SECONDS },
  { name: 'sum100', title: 'sum of 100 gauges of W2, stored', ...SECONDS },
  { name: 'read_1h_raw', title: 'read the last hour of a stream, raw', ...MILLISECONDS },
  { name: 'read_90d_1h', title: 'read 90 days at hours', ...MILLISECONDS },
  { name: 'read_90d_1h_objects', title: '… as objects', ...MILLISECONDS },
  { name: 'read_100x1m', title: 'read 100 streams, 6 hours at minutes', ...MILLISECONDS },
  { name: 'w1_bytes_raw', title: 'W1 stored bytes a point, raw only', ...BYTES },
  { name: 'w1_bytes_levels', title: 'W1 stored bytes a point, with levels', ...BYTES },
  { name: 'w2_bytes_raw', title: 'W2 stored bytes a point, raw only', ...BYTES },
  { name: 'w2_bytes_levels', title: 'W2 stored bytes a point, with levels', ...BYTES },
  { name: 'w1_written', title: 'W1 bytes written a point, by the ingest', ...BYTES },
  { name: 'w2_written', title: 'W2 bytes written a point, by the ingest', ...BYTES },
  { name: 'w2_cpu', title: 'W2 processor time of the ingest', ...SECONDS },
  { name: 'w2_peak_rss', title: 'W2 peak memory of the process', unit: 'MB', isRate: false },
];
