import type {
  ConditionalNode,
  ConstantNode,
  FunctionNode,
  MathNode,
  OperatorNode,
  ParenthesisNode,
  SymbolNode,
} from 'mathjs';

import { InvalidOperatorArguments } from '../exceptions/errors.ts';
import { assert } from '../model/assert.ts';
import {
  EXPRESSION_CONSTANTS,
  EXPRESSION_FUNCTIONS,
  EXPRESSION_OPERATORS,
} from './expression-functions.ts';

/** Bounds what an expression can cost: parsing, and each evaluation, go once through all of it. */
const EXPRESSION_LENGTH_MAX = 2000;
const EXPRESSION_DEPTH_MAX = 50;

/**
 * What the parser is given for `%`. It would take that for a percentage, too, and tries both wherever there is one: in
 * time that doubles with each level of nesting.
 */
const MOD_OPERATOR = ' mod ';

/** Seconds since 1970 at the start of the bucket, unless a source has this name. */
const TIME_NAME = 't';

/** Takes the values of the sources, NaN for null, and behind them the time of the bucket in seconds. */
export type CompiledExpression = (inputs: Float64Array) => number;

type Parse = (text: string) => MathNode;

/** Null before the first expression: the library takes most of a second to load. */
let parseText: Parse | null = null;

/** Loads the parser; idempotent. */
export async function loadExpressionParser(): Promise<void> {
  if (parseText !== null) return;
  const { create, parseDependencies } = await import('mathjs/number');
  parseText = create({ ...parseDependencies }, {}).parse as Parse;
}

/**
 * Parses an expression over named sources and compiles it. The library only parses: what it found is
 * taken over node by node, if it is on the list of what expressions may have, so that nothing else can
 * ever be evaluated. The parser is loaded.
 * @param names of the sources, in the order of the inputs.
 * @throws {InvalidOperatorArguments} naming the place in the text.
 */
export function compileExpression(text: string, names: readonly string[]): CompiledExpression {
  return new ExpressionCompiler(text, names).compile();
}

/** Whether a source can be called so: a letter or _ first, and none of the words of the language. */
export function isExpressionName(name: string): boolean {
  return /^[A-Za-z_]\w{0,99}$/.test(name) && !RESERVED_WORDS.has(name);
}

/** What the parser does not read as a name. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  'and false in Infinity mod NaN not null or to true undefined xor'.split(' '),
);

class ExpressionCompiler {
  readonly #text: string;
  readonly #names: readonly string[];
  readonly #used = new Set<string>();

  constructor(text: string, names: readonly string[]) {
    this.#text = text;
    this.#names = names;
  }

  compile(): CompiledExpression {
    const { length } = this.#text;
    if (length > EXPRESSION_LENGTH_MAX) {
      throw new InvalidOperatorArguments(
        `The expression has ${length} characters: at most ${EXPRESSION_LENGTH_MAX} are taken.`,
      );
    }
    const compiled = this.#compile(this.#parse(), EXPRESSION_DEPTH_MAX);
    const unused = this.#names.find((name) => !this.#used.has(name));
    if (unused !== undefined) {
      throw this.#refused(`does not use the source ${JSON.stringify(unused)}`);
    }
    return compiled;
  }

  #parse(): MathNode {
    assert(parseText !== null, 'the parser of expressions is loaded before it is needed');
    try {
      return parseText(this.#text.replaceAll('%', MOD_OPERATOR));
    } catch (error) {
      if (error instanceof SyntaxError) {
        // It counts from 1 and says so in brackets at the end.
        const reason = error.message.replace(
          /\s*\(char (\d+)\)$/,
          (_, character) => ` at character ${this.#givenCharacter(Number(character))}`,
        );
        throw this.#refused(`cannot be read: ${reason}`);
      }
      // The stack, of what is nested too deeply.
      if (error instanceof RangeError) throw this.#tooDeep();
      throw error;
    }
  }

  /** Where the given text has what stands at that character of the one that was parsed; both count from 1. */
  #givenCharacter(parsedCharacter: number): number {
    let character = 1;
    for (let parsed = 1; character <= this.#text.length; character++) {
      parsed += this.#text[character - 1] === '%' ? MOD_OPERATOR.length : 1;
      if (parsed > parsedCharacter) break;
    }
    return character;
  }

  #compile(node: MathNode, depthMax: number): CompiledExpression {
    if (depthMax === 0) throw this.#tooDeep();
    const compile = (inner: MathNode): CompiledExpression => this.#compile(inner, depthMax - 1);
    switch (node.type) {
      case 'ConstantNode':
        return this.#constant(node as ConstantNode);
      case 'SymbolNode':
        return this.#symbol(node as SymbolNode);
      case 'ParenthesisNode':
        return compile((node as ParenthesisNode).content);
      case 'ConditionalNode': {
        const { condition, trueExpr, falseExpr } = node as ConditionalNode;
        return choice(compile(condition), compile(trueExpr), compile(falseExpr));
      }
      case 'OperatorNode': {
        const { fn, op, implicit, args } = node as OperatorNode;
        const known = implicit ? undefined : EXPRESSION_OPERATORS.get(fn);
        // A chain such as a + b + c is nested on its left only as the parser sees it.
        if (known !== undefined && args.length === 2) {
          return call(known.apply, [this.#compile(args[0]!, depthMax), compile(args[1]!)]);
        }
        if (known !== undefined) return call(known.apply, args.map(compile));
        throw implicit
          ? this.#refused(`leaves out the operator in ${excerpt(node)}: write *`)
          : this.#refused(`takes no operator ${op}`, op);
      }
      case 'FunctionNode':
        return this.#function(node as FunctionNode, compile);
      default:
        throw this.#refused(
          `takes no ${describeNode(node)}: numbers, names of sources, operators and functions only`,
        );
    }
  }

  #constant({ value }: ConstantNode): CompiledExpression {
    const number = numberOfConstant(value);
    if (number === undefined) {
      throw this.#refused(whyNoNumber(value));
    }
    return () => number;
  }

  #symbol({ name }: SymbolNode): CompiledExpression {
    const source = this.#names.indexOf(name);
    if (source >= 0) {
      this.#used.add(name);
      return (inputs) => inputs[source]!;
    }
    if (name === TIME_NAME) {
      const index = this.#names.length;
      return (inputs) => inputs[index]!;
    }
    const constant = EXPRESSION_CONSTANTS.get(name);
    if (constant !== undefined) return () => constant;
    const known = [...this.#names, TIME_NAME, ...EXPRESSION_CONSTANTS.keys()];
    throw this.#refused(
      `has the unknown name ${excerpt(name)}: it knows ${known.join(', ')}`,
      name,
    );
  }

  #function(
    { fn, args }: FunctionNode,
    compile: (node: MathNode) => CompiledExpression,
  ): CompiledExpression {
    // The types promise a symbol; `a.b(c)` has something else there.
    const callee = fn as MathNode;
    const name = callee.type === 'SymbolNode' ? (callee as SymbolNode).name : null;
    const known = name === null ? undefined : EXPRESSION_FUNCTIONS.get(name);
    if (name === null || known === undefined) {
      const list = [...EXPRESSION_FUNCTIONS.keys()].join(', ');
      throw this.#refused(
        `takes no function ${excerpt(name ?? callee)}: expected one of ${list}`,
        name ?? undefined,
      );
    }
    const { argumentCountMin, argumentCountMax, apply } = known;
    if (args.length < argumentCountMin || args.length > argumentCountMax) {
      const wanted = argumentCountMax === argumentCountMin ? `${argumentCountMin}` : 'at least 1';
      throw this.#refused(`gives ${name} ${args.length} arguments, and it takes ${wanted}`, name);
    }
    return call(apply, args.map(compile));
  }

  #tooDeep(): InvalidOperatorArguments {
    return this.#refused(`is nested deeper than ${EXPRESSION_DEPTH_MAX} levels`);
  }

  #refused(reason: string, word?: string): InvalidOperatorArguments {
    const index = word === undefined ? -1 : indexOfWord(this.#text, word);
    const place = index < 0 ? '' : ` (at character ${index + 1})`;
    return new InvalidOperatorArguments(
      `The expression ${excerpt(JSON.stringify(this.#text))} ${reason}${place}.`,
    );
  }
}

/** Undefined for what is no number. */
function numberOfConstant(value: unknown): number | undefined {
  if (value === null) return Number.NaN;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function whyNoNumber(value: unknown): string {
  if (value === undefined) return 'is empty, or has an empty part';
  return typeof value === 'number' ? 'takes finite numbers only' : `takes no ${typeof value}`;
}

function choice(
  condition: CompiledExpression,
  whenTrue: CompiledExpression,
  whenFalse: CompiledExpression,
): CompiledExpression {
  return (inputs) => {
    const value = condition(inputs);
    if (Number.isNaN(value)) return value;
    return value === 0 ? whenFalse(inputs) : whenTrue(inputs);
  };
}

/** Without a list of arguments where there are one or two, as mostly. */
function call(
  apply: (...values: number[]) => number,
  args: readonly CompiledExpression[],
): CompiledExpression {
  const [first, second] = args;
  if (args.length === 1) return (inputs) => apply(first!(inputs));
  if (args.length === 2) return (inputs) => apply(first!(inputs), second!(inputs));
  return (inputs) => apply(...args.map((arg) => arg(inputs)));
}

/** Where the text has it, and not as part of a longer word. */
function indexOfWord(text: string, word: string): number {
  const isName = /^\w+$/.test(word);
  for (let index = text.indexOf(word); index >= 0; index = text.indexOf(word, index + 1)) {
    const around = `${text[index - 1] ?? ' '}${text[index + word.length] ?? ' '}`;
    if (!isName || !/[\w$]/.test(around)) return index;
  }
  return -1;
}

/** As in "function assignment" of a FunctionAssignmentNode. */
function describeNode({ type }: MathNode): string {
  return type
    .replace(/Node$/, '')
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
}

const EXCERPT_LENGTH_MAX = 80;

function excerpt(value: string | MathNode): string {
  const text = typeof value === 'string' ? value : value.toString();
  return text.length > EXCERPT_LENGTH_MAX ? `${text.slice(0, EXCERPT_LENGTH_MAX)}…` : text;
}
