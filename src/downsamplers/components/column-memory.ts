/** Numbers of a slab: half a MiB. */
const SLAB_LENGTH = 65_536;
/** Longer columns get memory of their own. */
const SHARED_LENGTH_MAX = SLAB_LENGTH / 16;

let slab: Float64Array = new Float64Array(0);
let usedLength = 0;

/**
 * Memory for a column, its content undefined. Short columns are cut from a common slab, which lives as long
 * as any of them: to ask the system for each of a dozen columns takes longer than to fill them.
 */
export function allocateColumn(length: number): Float64Array {
  if (length > SHARED_LENGTH_MAX) return new Float64Array(length);
  if (usedLength + length > slab.length) {
    slab = new Float64Array(SLAB_LENGTH);
    usedLength = 0;
  }
  const offsetBytes = usedLength * Float64Array.BYTES_PER_ELEMENT;
  usedLength += length;
  return new Float64Array(slab.buffer, offsetBytes, length);
}
