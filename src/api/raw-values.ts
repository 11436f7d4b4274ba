import type { Column } from '../model/block.ts';
import type { StreamRecord } from '../model/stream.ts';
import { isHighAccuracy, valueCodecOf } from '../model/value.ts';

type RawRecord = Pick<StreamRecord, 'valueType' | 'valueTypeOptions' | 'valueDownsamplers'>;

/** Raw values of a stream as callers get them. */
export class RawValues {
  readonly #record: RawRecord;
  readonly #isDecimal: boolean;

  constructor(record: RawRecord) {
    this.#record = record;
    this.#isDecimal = isHighAccuracy(record);
  }

  /** The same array where nothing is to be done: in a `Float64Array` NaN is null. */
  column(stored: Column): Column {
    if (stored instanceof Float64Array && !this.#isDecimal) return stored;
    return Array.from(stored, (value) => this.#value(value));
  }

  #value(stored: unknown): unknown {
    if (stored === null) return null;
    if (typeof stored !== 'number') return this.#fromStored(stored);
    if (Number.isNaN(stored)) return null;
    return this.#isDecimal ? this.#fromStored(stored) : stored;
  }

  /** Plain numbers, which most values are, need no codec. */
  #fromStored(stored: unknown): unknown {
    return valueCodecOf(this.#record).fromStored(stored);
  }
}
