// Deterministic inputs: 32-bit integer arithmetic and + - * / on doubles only, so that every machine
// gets the same numbers.

/** Uniform in [0, 1): mulberry32. */
export function uniform(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A gauge with two decimals that wanders around 50. */
export function gauge(seed, count) {
  const random = uniform(seed);
  const values = new Float64Array(count);
  let value = 50;
  for (let i = 0; i < count; i++) {
    value += 0.3 * (random() + random() - 1) + 0.0005 * (50 - value);
    values[i] = Math.round(value * 100) / 100;
  }
  return values;
}

/** Timestamps `stepMs` apart. */
export function regular(startMs, stepMs, count) {
  const timestamps = new Float64Array(count);
  for (let i = 0; i < count; i++) timestamps[i] = startMs + i * stepMs;
  return timestamps;
}
