import type { Column } from '../model/block.ts';
import type { StreamRecord } from '../model/stream.ts';
import { isHighAccuracy, type ValueCodec, valueCodecOf } from '../model/value.ts';

/** Raw values of a stream as callers get them. */
export class RawValues {
  readonly #codec: ValueCodec;
  readonly #isDecimal: boolean;

  constructor(record: Pick<StreamRecord, 'valueType' | 'valueTypeOptions' | 'valueDownsamplers'>) {
    this.#codec = valueCodecOf(record);
    this.#isDecimal = isHighAccuracy(record);
  }

  /** The same array where nothing is to be done: in a `Float64Array` NaN is null. */
  column(stored: Column): Column {
    if (stored instanceof Float64Array && !this.#isDecimal) return stored;
    return Array.from(stored, (value) => this.#value(value));
  }

  #value(stored: unknown): unknown {
    if (stored === null) return null;
    if (typeof stored !== 'number') return this.#codec.fromStored(stored);
    if (Number.isNaN(stored)) return null;
    return this.#isDecimal ? this.#codec.fromStored(stored) : stored;
  }
}
