// Every number that was read back, as hashes.
import { createHash } from 'node:crypto';

/**
 * Three hashes: `raw` and `extremes` (count, minimum and maximum of buckets) are the same on every store;
 * `levels` (means and sums too) on every store that keeps what the engine computed, because a server
 * that computes may add up in another order.
 */
export class Results {
  #raw = createHash('sha256');
  #extremes = createHash('sha256');
  #levels = createHash('sha256');
  #isStored;

  constructor({ levels }) {
    this.#isStored = levels === 'stored';
  }

  addRaw({ timestamps, values }) {
    this.#raw.update(bytesOf(timestamps)).update(bytesOf(values));
  }

  addBuckets({ timestamps, v }) {
    this.#extremes.update(bytesOf(timestamps));
    for (const letter of ['c', 'l', 'u']) this.#extremes.update(bytesOf(v[letter]));
    for (const letter of ['m', 's']) this.#levels.update(bytesOf(v[letter]));
  }

  digests() {
    const text = (hash) => hash.digest('hex').slice(0, 16);
    return {
      raw: text(this.#raw),
      extremes: text(this.#extremes),
      levels: this.#isStored ? text(this.#levels) : null,
    };
  }
}

function bytesOf(floats) {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}
