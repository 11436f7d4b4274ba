import { type Arithmetic, FLOAT_ARITHMETIC, type Num } from '../derive/arithmetic.ts';
import type { Operator, OperatorContext, Sink } from '../derive/operator.ts';
import { operatorOf } from '../derive/registry.ts';
import { InvalidValueWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import { type Block, EMPTY_BLOCK, rawBlock, valueColumn } from '../model/block.ts';
import { Granularity } from '../model/granularity.ts';
import { DECIMAL_ARITHMETIC } from '../model/high-accuracy.ts';
import type { Derivation, DeriveSource, StreamId, StreamRecord } from '../model/stream.ts';
import { ALL_TIME, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { type ValueCodec, valueCodecOf } from '../model/value.ts';
import type { PageSource } from './block-reader.ts';
import {
  type ArithmeticKind,
  openCursor,
  type SourceCursor,
  type SourceStream,
} from './source-cursor.ts';

/** Loads what the operators of derived streams need before they can run. */
export async function loadOperators(records: Iterable<StreamRecord>): Promise<void> {
  for (const { derivation } of records) {
    if (derivation !== null) await operatorOf(derivation.op).load?.();
  }
}

export interface OperatorRunOptions {
  /** Those that the record names, by default: one that derives by a query names none. */
  readonly sources?: readonly DeriveSource[];
  /** Instants that the store takes. */
  readonly timestampRange?: TimeRange;
}

/** An operator at work for one derived stream. */
export class OperatorRun {
  readonly record: StreamRecord;
  readonly derivation: Derivation;
  readonly operator: Operator;
  readonly granularity: Granularity;
  readonly arithmeticKind: ArithmeticKind;
  readonly context: OperatorContext;

  constructor(
    record: StreamRecord,
    {
      sources = record.derivation?.sources ?? [],
      timestampRange = ALL_TIME,
    }: OperatorRunOptions = {},
  ) {
    assert(record.derivation !== null, 'an operator works for a derived stream');
    this.record = record;
    this.derivation = { ...record.derivation, sources };
    this.operator = operatorOf(this.derivation.op);
    this.granularity = Granularity.byName(record.highestGranularity);
    this.arithmeticKind = record.valueTypeOptions.highAccuracy === true ? 'decimal' : 'float';
    const arithmetic: unknown =
      this.arithmeticKind === 'decimal' ? DECIMAL_ARITHMETIC : FLOAT_ARITHMETIC;
    this.context = {
      args: this.derivation.args,
      sourceCount: this.derivation.sources.length,
      sourceNames: this.derivation.sources.map(({ name }) => name),
      isOverQuery: this.derivation.query !== undefined,
      granularity: this.granularity,
      arithmetic: arithmetic as Arithmetic<Num>,
      timestampRange,
    };
  }

  start(): unknown {
    return this.operator.start(this.context);
  }

  /** Cursors over all sources, in their order. `streams` are the sources' streams. */
  openCursors(
    pages: PageSource,
    { streams, range }: { streams: readonly SourceStream[]; range: TimeRange },
    options: { isReverse?: boolean; firstRowCount?: number } = {},
  ): readonly SourceCursor[] {
    return this.derivation.sources.map((source, index) =>
      openCursor(
        pages,
        { source, stream: streams[index]!, range },
        { ...options, arithmetic: this.arithmeticKind },
      ),
    );
  }
}

/** Gathers the outputs of an operator as rows of the derived stream's raw level. */
export class OutputRows implements Sink {
  readonly #codec: ValueCodec;
  readonly #timestamps: number[] = [];
  readonly #values: unknown[] = [];
  readonly #streamId: StreamId;
  /** To be given once the rows are durable: what is computed in vain has nothing to say. */
  readonly warnings: InvalidValueWarning[] = [];

  constructor(record: StreamRecord) {
    this.#codec = valueCodecOf(record);
    this.#streamId = record.id;
  }

  get rowCount(): number {
    return this.#timestamps.length;
  }

  emit({ timestampMs, value }: { timestampMs: number; value: unknown }): void {
    assert(
      timestampMs >= (this.#timestamps.at(-1) ?? TIME_MIN_MS),
      'outputs come in order of time',
    );
    this.#timestamps.push(timestampMs);
    this.#values.push(this.#codec.fromOperand(value));
  }

  warn(message: string): void {
    this.warnings.push(new InvalidValueWarning(`Derived stream ${this.#streamId}: ${message}`));
  }

  block(): Block {
    if (this.#timestamps.length === 0) return EMPTY_BLOCK;
    return rawBlock(Float64Array.from(this.#timestamps), valueColumn(this.#values));
  }
}
