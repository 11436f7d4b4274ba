// Batches as InfluxDB's line protocol, which VictoriaMetrics takes too. Made before the clock starts.
import { secondsAt, W1_BATCH_ROW_COUNT } from './workload.mjs';

/** @returns one body for each batch of W1 */
export function w1Bodies(values) {
  const bodies = [];
  for (let from = 0; from < values.length; from += W1_BATCH_ROW_COUNT) {
    const rows = Array.from(values.subarray(from, from + W1_BATCH_ROW_COUNT));
    bodies.push(bodyOf(rows.map((value, i) => `m,s=w1 v=${value} ${secondsAt(from + i)}`)));
  }
  return bodies;
}

/** @returns one body for each tick of W2; tags: `s` name, `k` kind, `g` "a" for the gauges read side by side */
export function tickBodies(ticks, streams) {
  const heads = streams.map(
    ({ name, kind, isWide }) => `m,g=${isWide ? 'a' : 'b'},k=${kind},s=${name} v=`,
  );
  return Array.from({ length: ticks.length / streams.length }, (_, tick) => {
    const from = tick * streams.length;
    return bodyOf(heads.map((head, i) => `${head}${ticks[from + i]} ${secondsAt(tick)}`));
  });
}

function bodyOf(lines) {
  return Buffer.from(lines.join('\n'));
}
