import { InvalidOperatorArguments } from '../exceptions/errors.ts';
import { bucketStartMs } from '../model/granularity.ts';
import { checkArgumentNames, checkGranularities, checkValueType } from './checks.ts';
import {
  type CompiledExpression,
  compileExpression,
  isExpressionName,
  loadExpressionParser,
} from './expression-parser.ts';
import { instant } from './numbers.ts';
import type { Operator, OperatorContext, Sink, SourceDescription } from './operator.ts';
import { type BucketState, bucketSteps } from './source-buckets.ts';

/** An expression at work, with room for its inputs: the sources, and the time in seconds behind them. */
interface Program {
  readonly evaluate: CompiledExpression;
  readonly inputs: Float64Array;
}

/** A state is made for each bucket, a context for each stream. */
const PROGRAMS: WeakMap<OperatorContext, Program> = new WeakMap();

/** Computes a formula over one value of each source per bucket. */
export const expression: Operator<BucketState> = Object.freeze({
  name: 'expression',
  valueType: 'numeric',
  reach: Object.freeze({ kind: 'bucket', needsEverySource: true }),
  load: loadExpressionParser,

  validate(sources, { args, granularity, isHighAccuracy = false }) {
    checkArgumentNames('expression', args, ['expression']);
    if (isHighAccuracy) {
      throw new InvalidOperatorArguments(
        'Operator expression computes in float64, not with high accuracy.',
      );
    }
    if (sources.length === 0) {
      throw new InvalidOperatorArguments('Operator expression takes at least one source.');
    }
    const names = sources.map(nameOf);
    checkNames(names);
    for (const source of sources) checkValueType('expression', source, ['numeric']);
    checkGranularities('expression', sources, granularity);
    compileExpression(textOf(args), names);
  },

  ...bucketSteps(({ context, bucketMs, latest }, sink) => {
    const program = programOf(context);
    const { evaluate, inputs } = program;
    for (let source = 0; source < latest.length; source++) {
      inputs[source] = (latest[source] as number | null) ?? Number.NaN;
    }
    inputs[latest.length] = bucketMs / 1000;
    const value = checked(evaluate(inputs), { program, bucketMs }, sink);
    sink.emit({ timestampMs: bucketMs, value: Number.isNaN(value) ? null : value });
  }),

  computeAligned(context, { timestamps, rowCount, sources }, sink) {
    const { granularity } = context;
    const program = programOf(context);
    const { evaluate, inputs } = program;
    for (let row = 0; row < rowCount; row++) {
      const bucketMs = bucketStartMs(timestamps[row]!, granularity);
      const isLast =
        row + 1 === rowCount || bucketStartMs(timestamps[row + 1]!, granularity) !== bucketMs;
      if (!isLast) continue;
      for (let source = 0; source < sources.length; source++) {
        const { values, from } = sources[source]!;
        inputs[source] = values[from + row]!;
      }
      inputs[sources.length] = bucketMs / 1000;
      sink.emitFloat(bucketMs, checked(evaluate(inputs), { program, bucketMs }, sink));
    }
  },
} satisfies Operator<BucketState>);

function programOf(context: OperatorContext): Program {
  const known = PROGRAMS.get(context);
  if (known !== undefined) return known;
  const names = context.sourceNames.map((name) => name ?? '');
  const program = {
    evaluate: compileExpression(textOf(context.args), names),
    inputs: new Float64Array(names.length + 1),
  };
  PROGRAMS.set(context, program);
  return program;
}

/** The result that is stored: NaN for null. Warns where numbers gave none. */
function checked(
  value: number,
  { program, bucketMs }: { program: Program; bucketMs: number },
  sink: Sink,
): number {
  // Adding 0 makes 0 of -0, which stores do not keep apart.
  if (Number.isFinite(value)) return value + 0;
  const { inputs } = program;
  let isFromNumbers = true;
  for (let source = 0; source < inputs.length; source++) {
    if (Number.isNaN(inputs[source])) isFromNumbers = false;
  }
  if (isFromNumbers) sink.warn(`expression: the result at ${instant(bucketMs)} is not a number.`);
  return Number.NaN;
}

function nameOf({ name }: SourceDescription): string {
  if (name === null) {
    throw new InvalidOperatorArguments('Every source of expression needs a name.');
  }
  return name;
}

function checkNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!isExpressionName(name)) {
      throw new InvalidOperatorArguments(
        `Expressions cannot use the source name ${JSON.stringify(name)}: expected letters, digits and ` +
          '_, not a digit first, and no word that means something else in an expression.',
      );
    }
    if (seen.has(name)) {
      throw new InvalidOperatorArguments(`Two sources of expression are named ${name}.`);
    }
    seen.add(name);
  }
}

function textOf({ expression: text }: Readonly<Record<string, unknown>>): string {
  if (typeof text !== 'string') {
    throw new InvalidOperatorArguments('Operator expression takes its expression as a text.');
  }
  return text;
}
