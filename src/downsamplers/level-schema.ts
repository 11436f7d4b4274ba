import type { Column } from '../model/block.ts';
import type { StreamRecord } from '../model/stream.ts';
import { heartbeatMsOf, isHighAccuracy } from '../model/value.ts';
import type { TimeDownsampler, ValueDownsampler } from './downsampler.ts';
import { LevelSelection, type SelectionOptions, selectionOptions } from './level-selection.ts';
import {
  availableTimeDownsamplers,
  selectTimeDownsamplers,
  TIME_DOWNSAMPLERS,
  type TimeSupport,
  valueDownsamplersOf,
} from './registry.ts';

/** Names; undefined selects all that the stream has, an empty list none. */
export interface Selection {
  readonly valueDownsamplers?: readonly string[] | undefined;
  readonly timeDownsamplers?: readonly string[] | undefined;
}

type SchemaSource = Pick<StreamRecord, 'valueType' | 'valueTypeOptions' | 'valueDownsamplers'>;

/** In stored order. */
const COMPONENT_ORDER: readonly string[] = Object.freeze(
  'c s l u q mu m2 n f ts ta tz ic il iu iq a z h ar hd'.split(' '),
);

/** JSON on every stream. */
const JSON_COMPONENTS: readonly string[] = Object.freeze(['n', 'f', 'h']);
/** Values as they were appended. */
const EDGE_COMPONENTS: readonly string[] = Object.freeze(['a', 'z']);
/** Decimal strings on high-accuracy streams. */
const DECIMAL_COMPONENTS: readonly string[] = Object.freeze(['s', 'l', 'u', 'q']);

const NO_VALUES: readonly never[] = Object.freeze([]);

/** By value type and downsamplers: of these there are few, of streams many. */
const SCHEMAS = new Map<string, LevelSchema>();
/** The one that was asked for last: those of streams that are worked on together are mostly the same. */
let latest: LevelSchema | null = null;

/** Selections that a schema remembers, at most. */
const SELECTION_COUNT_MAX = 64;

/** What the levels of a stream store for each bucket that has data, and how that is read. */
export class LevelSchema {
  readonly isNumeric: boolean;
  /** Whether numbers are decimal strings: a high-accuracy stream. */
  readonly isDecimal: boolean;
  /** For how long a value is held, at most; Infinity: until the next datapoint. */
  readonly heartbeatMs: number;
  /** Component columns stored, in stored order; empty when the stream is never downsampled. */
  readonly columns: readonly string[];
  /** Its columns without a row. */
  readonly noRows: Readonly<Record<string, Column>>;
  readonly #source: Pick<SchemaSource, 'valueType' | 'valueDownsamplers'>;
  readonly #valueDownsamplers: readonly ValueDownsampler[];
  readonly #selections: Map<string, SelectionOptions> = new Map();

  /** The same one for every stream that is downsampled alike. */
  static of(record: SchemaSource): LevelSchema {
    if (latest?.isOf(record)) return latest;
    const numbers = [isHighAccuracy(record), heartbeatMsOf(record)];
    const key = [record.valueType, ...numbers, ...record.valueDownsamplers].join();
    latest = SCHEMAS.get(key) ?? new LevelSchema(record);
    SCHEMAS.set(key, latest);
    return latest;
  }

  private constructor(record: SchemaSource) {
    const { valueType, valueDownsamplers } = record;
    this.#source = { valueType, valueDownsamplers };
    this.isNumeric = record.valueType === 'numeric';
    this.isDecimal = isHighAccuracy(record);
    this.heartbeatMs = heartbeatMsOf(record);
    this.#valueDownsamplers = valueDownsamplersOf(record.valueDownsamplers);
    this.columns = this.isEmpty ? [] : this.#columnsOf(this.#valueDownsamplers, TIME_DOWNSAMPLERS);
    this.noRows = Object.fromEntries(this.columns.map((name) => [name, NO_VALUES]));
  }

  /** Whether streams like that are downsampled so; it may say no where the names have another order. */
  isOf(record: SchemaSource): boolean {
    const { valueType, valueDownsamplers } = this.#source;
    return (
      valueType === record.valueType &&
      this.isDecimal === isHighAccuracy(record) &&
      this.heartbeatMs === heartbeatMsOf(record) &&
      valueDownsamplers.length === record.valueDownsamplers.length &&
      valueDownsamplers.every((name, index) => name === record.valueDownsamplers[index])
    );
  }

  /** Whether the stream has no value downsamplers: then it is never downsampled. */
  get isEmpty(): boolean {
    return this.#valueDownsamplers.length === 0;
  }

  /** Whether a component column holds JSON values rather than float64 numbers. */
  isJson(column: string): boolean {
    if (JSON_COMPONENTS.includes(column)) return true;
    if (EDGE_COMPONENTS.includes(column)) return this.isDecimal || !this.isNumeric;
    return this.isDecimal && DECIMAL_COMPONENTS.includes(column);
  }

  /**
   * Finishers of a selection. A known downsampler that the stream, or the store, lacks is left out.
   * @throws {UnsupportedDownsampler} when a name is unknown.
   */
  select(
    selection: Selection,
    supports: TimeSupport = { timeDownsamplers: 'all' },
  ): LevelSelection {
    const { valueDownsamplers, timeDownsamplers } = selection;
    const key =
      keyOf(valueDownsamplers) + keyOf(timeDownsamplers) + keyOf(supports.timeDownsamplers);
    let options = this.#selections.get(key);
    if (options === undefined) {
      options = this.#resolve(selection, supports);
      // Names may be given in any order, and again and again.
      if (this.#selections.size >= SELECTION_COUNT_MAX) this.#selections.clear();
      this.#selections.set(key, options);
    }
    return new LevelSelection(options);
  }

  #resolve(
    { valueDownsamplers, timeDownsamplers }: Selection,
    supports: TimeSupport,
  ): SelectionOptions {
    const value =
      valueDownsamplers === undefined
        ? this.#valueDownsamplers
        : valueDownsamplersOf(valueDownsamplers).filter(({ name }) => this.#has(name));
    const named = selectTimeDownsamplers(timeDownsamplers);
    const time = availableTimeDownsamplers(supports).filter(({ name }) =>
      named.some((downsampler) => downsampler.name === name),
    );
    return selectionOptions({
      value: valueDownsamplers?.length === 0 ? null : value,
      time: timeDownsamplers?.length === 0 ? null : time,
      isDecimal: this.isDecimal,
      hasFloats: this.isNumeric && !this.isDecimal,
      columns: this.#columnsOf(value, time),
      heartbeatMs: this.heartbeatMs,
    });
  }

  #has(name: string): boolean {
    return this.#valueDownsamplers.some((downsampler) => downsampler.name === name);
  }

  #columnsOf(
    value: readonly ValueDownsampler[],
    time: readonly TimeDownsampler[],
  ): readonly string[] {
    const needed = new Set<string>([
      ...value.flatMap((d) => (this.isDecimal ? d.decimal! : d.plain).components),
      ...time.flatMap((d) => d.components),
    ]);
    return COMPONENT_ORDER.filter((name) => needed.has(name));
  }
}

/** Of names without a comma, as all known ones are, and their number: no other names have the same key. */
function keyOf(names: readonly string[] | 'all' | undefined): string {
  return names === undefined || names === 'all' ? '*;' : `${names.length}:${names.join()};`;
}
