import type { Block } from '../../model/block.ts';

const NUMBER_SIZE_BYTES = 8;

/** About how many bytes the rows take before they are encoded. */
export function rowsSizeBytes({ timestamps, columns }: Block): number {
  let sizeBytes = timestamps.length * NUMBER_SIZE_BYTES;
  for (const column of Object.values(columns)) {
    sizeBytes +=
      column instanceof Float64Array
        ? column.byteLength
        : column.reduce((sum: number, value) => sum + (JSON.stringify(value)?.length ?? 0) + 1, 0);
  }
  return sizeBytes;
}
