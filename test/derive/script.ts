import { type Arithmetic, FLOAT_ARITHMETIC, type Num } from '../../src/derive/arithmetic.ts';
import type {
  Input,
  Operator,
  OperatorContext,
  Output,
  SourceDescription,
} from '../../src/derive/operator.ts';
import { operatorOf } from '../../src/derive/registry.ts';
import { bucketStartMs, Granularity } from '../../src/model/granularity.ts';
import type { ValueType } from '../../src/model/stream.ts';
import { ALL_TIME } from '../../src/model/time-range.ts';

export interface RunResult {
  readonly outputs: readonly Output[];
  readonly warnings: readonly string[];
}

export interface RunOptions {
  readonly args?: Readonly<Record<string, unknown>>;
  readonly sourceCount?: number;
  readonly sourceNames?: readonly (string | null)[];
  readonly isOverQuery?: boolean;
  readonly granularity?: Granularity;
  readonly arithmetic?: Arithmetic<Num>;
}

/** Runs the inputs, already in order, through a fresh state of the operator. */
export function run(
  operator: Operator,
  inputs: readonly Input[],
  options: RunOptions = {},
): RunResult {
  const outputs: Output[] = [];
  const warnings: string[] = [];
  const sink = {
    emit: (output: Output) => void outputs.push(output),
    warn: (message: string) => void warnings.push(message),
  };
  let state = operator.start(contextOf(options));
  for (const input of inputs) state = operator.step(state, input, sink);
  operator.flush?.(state, sink);
  return { outputs, warnings };
}

/** What an operator is told of its stream; of what is not said, the most usual. */
export function contextOf({
  args = {},
  sourceCount = 1,
  sourceNames = new Array(sourceCount).fill(null),
  isOverQuery = false,
  granularity = Granularity.Seconds,
  arithmetic = FLOAT_ARITHMETIC as Arithmetic<Num>,
}: RunOptions): OperatorContext {
  return {
    args,
    sourceCount,
    sourceNames,
    isOverQuery,
    granularity,
    arithmetic,
    timestampRange: ALL_TIME,
  };
}

/** Sorts by (timestamp, index of source), keeping the order of arrival among equals. */
export function inOrder(inputs: readonly Input[]): readonly Input[] {
  return inputs.toSorted((a, b) => a.timestampMs - b.timestampMs || a.source - b.source);
}

interface Point {
  readonly seconds: number;
  readonly value: unknown;
}

interface ScriptStream {
  readonly points: readonly Point[];
  readonly warningCount: number;
  readonly granularity: Granularity;
  readonly valueType: ValueType;
}

/** One `expect` or `count` line of a script: what it says, and what the operators gave. */
export interface Expectation {
  readonly line: string;
  readonly expected: readonly Point[];
  readonly actual: readonly Point[];
  readonly expectedWarningCount: number;
  readonly warningCount: number;
}

/**
 * Runs a script of lines and gives its expectations. Blank lines and lines with `#` are skipped.
 *
 *     load NAME [@GRANULARITY] SECONDS:JSON …          a source, in order of arrival
 *     derive NAME OPERATOR [@GRANULARITY] [SOURCE_NAME:]STREAM … [ARGUMENT=JSON …]
 *     derive NAME OPERATOR [@GRANULARITY] query STREAM …   as from sources that are found by tags
 *     expect NAME SECONDS:JSON … [warnings=COUNT]      all outputs and the number of warnings
 *     count NAME GRANULARITY SECONDS:COUNT …           outputs per bucket
 */
export function runScript(text: string): readonly Expectation[] {
  const streams = new Map<string, ScriptStream>();
  const expectations: Expectation[] = [];
  for (const line of text.split('\n').map((item) => item.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [verb, name, ...words] = line.split(/\s+/);
    if (verb === 'load') streams.set(name!, load(words));
    else if (verb === 'derive') streams.set(name!, derive(streams, words));
    else if (verb === 'expect' || verb === 'count') {
      expectations.push(expectation(line, streams.get(name!)!, words, verb === 'count'));
    } else throw new SyntaxError(`Unknown line: ${line}`);
  }
  return expectations;
}

function load(words: readonly string[]): ScriptStream {
  const points = words.filter((word) => !word.startsWith('@')).map(pointOf);
  return {
    points,
    warningCount: 0,
    granularity: granularityOf(words),
    valueType: points.every(({ value }) => value === null || typeof value === 'number')
      ? 'numeric'
      : 'nominal',
  };
}

function derive(
  streams: ReadonlyMap<string, ScriptStream>,
  words: readonly string[],
): ScriptStream {
  const operator = operatorOf(words[0]!);
  const granularity = granularityOf(words);
  const rest = words.slice(1).filter((word) => !word.startsWith('@'));
  const args = Object.fromEntries(
    rest.flatMap((word) => {
      const [key, value] = word.split('=');
      return value === undefined ? [] : [[key!, JSON.parse(value)]];
    }),
  );
  const isOverQuery = rest.includes('query');
  const sources = rest
    .filter((word) => !word.includes('=') && word !== 'query')
    .map((word) => {
      const [stream, name] = word.split(':').reverse();
      return { name: name ?? null, stream: streams.get(stream!)! };
    });
  operator.validate(
    sources.map(({ name, stream }): SourceDescription => {
      return { name, valueType: stream.valueType, granularity: stream.granularity, isLevel: false };
    }),
    { args, granularity, isHighAccuracy: false },
  );
  const inputs = sources.flatMap(({ stream }, source) =>
    stream.points.map(({ seconds, value }) => ({ timestampMs: seconds * 1000, source, value })),
  );
  const result = run(operator, inOrder(inputs), {
    args,
    granularity,
    sourceCount: sources.length,
    sourceNames: sources.map(({ name }) => name),
    isOverQuery,
  });
  return {
    points: result.outputs.map(({ timestampMs, value }) => ({
      seconds: timestampMs / 1000,
      value,
    })),
    warningCount: result.warnings.length,
    granularity,
    valueType: operator.valueType,
  };
}

function expectation(
  line: string,
  { points, warningCount }: ScriptStream,
  words: readonly string[],
  isCount: boolean,
): Expectation {
  const warnings = words.find((word) => word.startsWith('warnings='));
  const expected = words.filter((word) => word.includes(':')).map(pointOf);
  return {
    line,
    expected,
    actual: isCount ? countPerBucket(points, Granularity.byName(words[0]!)) : points,
    expectedWarningCount: isCount ? warningCount : Number(warnings?.split('=')[1] ?? 0),
    warningCount,
  };
}

function countPerBucket(points: readonly Point[], granularity: Granularity): readonly Point[] {
  const counts = new Map<number, number>();
  for (const { seconds } of points) {
    const start = bucketStartMs(seconds * 1000, granularity) / 1000;
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  return [...counts].map(([seconds, value]) => ({ seconds, value }));
}

function pointOf(word: string): Point {
  const colon = word.indexOf(':');
  return { seconds: Number(word.slice(0, colon)), value: JSON.parse(word.slice(colon + 1)) };
}

function granularityOf(words: readonly string[]): Granularity {
  const word = words.find((item) => item.startsWith('@'));
  return word === undefined ? Granularity.Seconds : Granularity.byName(word.slice(1));
}
