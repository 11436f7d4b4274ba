import type { BackendManifest } from '../backends/manifest.ts';
import { NotSupported } from '../exceptions/errors.ts';
import { type Column, valueColumn } from '../model/block.ts';
import type { StreamRecord } from '../model/stream.ts';
import { isHighAccuracy, isStoredGroup, valueCodecOf } from '../model/value.ts';

type ValueSupport = Pick<BackendManifest, 'groupValues'>;

/**
 * A value of a caller as the stream stores it.
 * @throws {InvalidValue} when it does not fit the stream.
 * @throws {NotSupported} for an already downsampled value that the store cannot keep.
 */
export function storedValue(record: StreamRecord, value: unknown, supports: ValueSupport): unknown {
  const stored = valueCodecOf(record).toStored(value);
  const isGroup = record.valueType === 'numeric' && isStoredGroup(stored);
  if (isGroup && !supports.groupValues) {
    throw new NotSupported(
      `Stream ${record.id} takes no already downsampled values: this store keeps single ones.`,
    );
  }
  return stored;
}

/** As `storedValue`, of many. NaN is null in a `Float64Array`, which a plain numeric stream stores as it is. */
export function storedColumn(record: StreamRecord, values: Column, supports: ValueSupport): Column {
  if (!(values instanceof Float64Array)) {
    return valueColumn(values.map((value) => storedValue(record, value, supports)));
  }
  if (record.valueType === 'numeric' && !isHighAccuracy(record)) return values;
  const { toStored } = valueCodecOf(record);
  return Array.from(values, (value) => (Number.isNaN(value) ? null : toStored(value)));
}
