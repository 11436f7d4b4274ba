import { Decimal } from 'decimal.js';
import { InvalidValue } from '../exceptions/errors.ts';
import { assert } from './assert.ts';
import {
  decimalFromCaller,
  decimalOf,
  decimalText,
  describeType,
  divideDecimals,
  notFinite,
  toCallerNumber,
} from './high-accuracy.ts';
import type { StreamRecord } from './stream.ts';
import { copyGraph } from './value-graph.ts';
import { copyJson, isPlainObject } from './value-json.ts';
import { COUNT_LETTER, takesGroups, valueLetters } from './value-letters.ts';

/** Checks what callers give, and maps it to its stored form and back, for one stream's value type. */
export interface ValueCodec {
  /**
   * Stored JSON form: number of a plain numeric stream, decimal string of a high-accuracy one, object by
   * letter of an already downsampled value, JSON of a nominal or graph stream; null is always null.
   * @throws {InvalidValue} when the value does not fit the stream.
   */
  toStored(value: unknown): unknown;
  /** What callers get back; they may change it. */
  fromStored(stored: unknown): unknown;
  /**
   * What derive operators compute with: a number of the arithmetic (of an already downsampled value its
   * mean), JSON of a nominal or graph stream, null for no data.
   */
  toOperand(stored: unknown, arithmetic: 'float' | 'decimal'): unknown;
  /** Stored form of an operator's output. A float result that overflowed is null. */
  fromOperand(operand: unknown): unknown;
}

/** An already downsampled value, as stored: numbers or decimal strings by letter, the count a number. */
export type StoredGroup = Readonly<Record<string, unknown>>;

type CodecSource = Pick<StreamRecord, 'valueType' | 'valueTypeOptions' | 'valueDownsamplers'>;

const CODECS: WeakMap<CodecSource, ValueCodec> = new WeakMap();

/** The codec of a stream; the same one for the same record object. */
export function valueCodecOf(record: CodecSource): ValueCodec {
  let codec = CODECS.get(record);
  if (codec === undefined) {
    codec = createCodec(record);
    CODECS.set(record, codec);
  }
  return codec;
}

/** Whether values of the stream are decimal strings. */
export function isHighAccuracy(
  record: Pick<StreamRecord, 'valueType' | 'valueTypeOptions'>,
): boolean {
  return record.valueType === 'numeric' && record.valueTypeOptions.highAccuracy === true;
}

/** For how long values of the stream are held, at most; Infinity: until the next datapoint. */
export function heartbeatMsOf({
  valueTypeOptions,
}: Pick<StreamRecord, 'valueTypeOptions'>): number {
  const { heartbeat } = valueTypeOptions;
  return heartbeat === undefined ? Number.POSITIVE_INFINITY : Math.round(heartbeat * 1000);
}

/** Whether a stored numeric value stands for a group of datapoints. */
export function isStoredGroup(stored: unknown): stored is StoredGroup {
  return typeof stored === 'object' && stored !== null;
}

/** What an already downsampled value of a stream looks like. */
interface GroupForm {
  readonly letters: readonly string[];
  /** A downsampler that cannot do with such values; null when there is none. */
  readonly refusing: string | null;
}

function groupFormOf(names: readonly string[]): GroupForm {
  const refusing = names.find((name) => !takesGroups(name)) ?? null;
  return { letters: valueLetters(names), refusing };
}

function createCodec(record: CodecSource): ValueCodec {
  if (record.valueType === 'nominal') return NOMINAL_CODEC;
  if (record.valueType === 'graph') return GRAPH_CODEC;
  const form = groupFormOf(record.valueDownsamplers);
  return isHighAccuracy(record) ? decimalCodec(form) : plainCodec(form);
}

const NOMINAL_CODEC: ValueCodec = {
  toStored: (value) => copyJson(value),
  fromStored: (stored) => copyJson(stored),
  toOperand: (stored) => stored,
  fromOperand: (operand) => copyJson(Decimal.isDecimal(operand) ? operand.toNumber() : operand),
};

const GRAPH_CODEC: ValueCodec = {
  ...NOMINAL_CODEC,
  toStored: (value) => (value === null ? null : copyGraph(value)),
};

function plainCodec(form: GroupForm): ValueCodec {
  return {
    toStored: (value) =>
      typeof value === 'object' && value !== null
        ? checkedGroup(value, form, numberFromCaller)
        : value === null
          ? null
          : numberFromCaller(value),
    fromStored: (stored) => (isStoredGroup(stored) ? { ...stored } : stored),
    toOperand: numericOperand,
    fromOperand(operand) {
      if (operand === null) return null;
      const isNumber = typeof operand === 'number';
      const number = !isNumber && Decimal.isDecimal(operand) ? operand.toNumber() : operand;
      assert(typeof number === 'number', 'an operator of a numeric stream gives numbers');
      return Number.isFinite(number) ? number : null;
    },
  };
}

function decimalCodec(form: GroupForm): ValueCodec {
  const toText = (value: unknown): string => decimalText(decimalFromCaller(value));
  return {
    toStored: (value) =>
      isPlainObject(value)
        ? checkedGroup(value, form, toText)
        : value === null
          ? null
          : toText(value),
    fromStored(stored) {
      if (stored === null) return null;
      if (!isStoredGroup(stored)) return toCallerNumber(decimalOf(stored as string));
      return Object.fromEntries(
        Object.entries(stored).map(([letter, value]) => [
          letter,
          typeof value === 'string' ? toCallerNumber(decimalOf(value)) : value,
        ]),
      );
    },
    toOperand: numericOperand,
    fromOperand(operand) {
      if (operand === null) return null;
      assert(
        typeof operand === 'number' || Decimal.isDecimal(operand),
        'an operator gives numbers',
      );
      const decimal = decimalOf(operand);
      return decimal.isFinite() ? decimalText(decimal) : null;
    },
  };
}

/** Stored numbers and decimal strings alike, since a stream may derive from one of the other kind. */
function numericOperand(stored: unknown, arithmetic: 'float' | 'decimal'): unknown {
  if (stored === null) return null;
  if (isStoredGroup(stored)) return groupMean(stored, arithmetic);
  const value = stored as number | string;
  return arithmetic === 'float' ? Number(value) : decimalOf(value);
}

/** Null when the group is empty, or has no sum to divide. */
function groupMean(group: StoredGroup, arithmetic: 'float' | 'decimal'): number | Decimal | null {
  const count = group[COUNT_LETTER] as number;
  const sum = group['s'] as number | string | null | undefined;
  if (count === 0 || sum === null || sum === undefined) return null;
  return arithmetic === 'float'
    ? Number(sum) / count
    : divideDecimals(decimalOf(sum), decimalOf(count));
}

function numberFromCaller(value: unknown): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new InvalidValue(
      'A numeric stream takes numbers, bigints, null for no data, or an already downsampled value; ' +
        `not ${describeType(value)}.`,
    );
  }
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  if (typeof value === 'number') throw notFinite(value);
  throw new InvalidValue('The bigint is beyond the range of float64: use a high-accuracy stream.');
}

/** The group with exactly the wanted letters, in their order. */
function checkedGroup(
  value: unknown,
  { letters, refusing }: GroupForm,
  convert: (value: unknown) => unknown,
): StoredGroup {
  if (!isPlainObject(value)) {
    throw new InvalidValue(
      `An already downsampled value is an object; not ${describeType(value)}.`,
    );
  }
  if (refusing !== null) {
    throw new InvalidValue(
      `A stream with the downsampler ${refusing} takes no already downsampled values: ` +
        'they do not tell of which datapoints they were made.',
    );
  }
  const missing = letters.find((letter) => !Object.hasOwn(value, letter));
  const unknown = Object.keys(value).find((key) => !letters.includes(key));
  if (letters.length === 0 || missing !== undefined || unknown !== undefined) {
    throw new InvalidValue(
      letters.length === 0
        ? 'A stream without value downsamplers takes no already downsampled values.'
        : missing !== undefined
          ? `The already downsampled value lacks the letter ${JSON.stringify(missing)}.`
          : `The already downsampled value has an unknown letter ${JSON.stringify(unknown)}.`,
    );
  }
  const count = groupCount(value[COUNT_LETTER]);
  const entries = letters.map((letter) => {
    const item = value[letter];
    if (letter === COUNT_LETTER) return [letter, count];
    if (item === null && count === 0) return [letter, null];
    return [letter, convert(item)];
  });
  return Object.fromEntries(entries);
}

function groupCount(value: unknown): number {
  const count = typeof value === 'bigint' ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
    throw new InvalidValue('The count of an already downsampled value is a whole number from 0.');
  }
  return count;
}
