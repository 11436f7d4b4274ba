/** A function of float64 numbers. NaN stands for null and for what has no value; it is contagious. */
interface NumberFunction {
  readonly argumentCountMin: number;
  readonly argumentCountMax: number;
  readonly apply: (...values: number[]) => number;
}

function ofOne(apply: (a: number) => number): NumberFunction {
  return { argumentCountMin: 1, argumentCountMax: 1, apply };
}

function ofTwo(apply: (a: number, b: number) => number): NumberFunction {
  return { argumentCountMin: 2, argumentCountMax: 2, apply };
}

function ofAny(apply: (...values: number[]) => number): NumberFunction {
  return { argumentCountMin: 1, argumentCountMax: Number.POSITIVE_INFINITY, apply };
}

const divide = (a: number, b: number): number => (b === 0 ? Number.NaN : a / b);

/** The remainder with the sign of the divisor, as mathjs has it. */
const mod = (a: number, b: number): number => {
  const rest = b === 0 ? Number.NaN : a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};

const truth = (isTrue: boolean): number => (isTrue ? 1 : 0);

/** 1 or 0, where both have a value. */
function ofTruth(apply: (a: number, b: number) => boolean): NumberFunction {
  return ofTwo((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : truth(apply(a, b))));
}

/** Operators of expressions by the names that mathjs gives them. */
export const EXPRESSION_OPERATORS: ReadonlyMap<string, NumberFunction> = new Map([
  ['add', ofTwo((a, b) => a + b)],
  ['subtract', ofTwo((a, b) => a - b)],
  ['multiply', ofTwo((a, b) => a * b)],
  ['divide', ofTwo(divide)],
  ['mod', ofTwo(mod)],
  ['pow', ofTwo((a, b) => a ** b)],
  ['unaryMinus', ofOne((a) => -a)],
  ['unaryPlus', ofOne((a) => a)],
  ['smaller', ofTruth((a, b) => a < b)],
  ['smallerEq', ofTruth((a, b) => a <= b)],
  ['larger', ofTruth((a, b) => a > b)],
  ['largerEq', ofTruth((a, b) => a >= b)],
  ['equal', ofTruth((a, b) => a === b)],
  ['unequal', ofTruth((a, b) => a !== b)],
  ['and', ofTruth((a, b) => a !== 0 && b !== 0)],
  ['or', ofTruth((a, b) => a !== 0 || b !== 0)],
  ['xor', ofTruth((a, b) => (a !== 0) !== (b !== 0))],
  ['not', ofOne((a) => (Number.isNaN(a) ? a : truth(a === 0)))],
]);

/** Functions that expressions may call. Whoever adds one: it must depend on its arguments alone. */
export const EXPRESSION_FUNCTIONS: ReadonlyMap<string, NumberFunction> = new Map([
  ['abs', ofOne(Math.abs)],
  ['acos', ofOne(Math.acos)],
  ['asin', ofOne(Math.asin)],
  ['atan', ofOne(Math.atan)],
  ['atan2', ofTwo(Math.atan2)],
  ['ceil', ofOne(Math.ceil)],
  ['coalesce', ofAny((...values) => values.find((value) => !Number.isNaN(value)) ?? Number.NaN)],
  ['cos', ofOne(Math.cos)],
  ['exp', ofOne(Math.exp)],
  ['floor', ofOne(Math.floor)],
  ['log', ofOne(Math.log)],
  ['log10', ofOne(Math.log10)],
  ['log2', ofOne(Math.log2)],
  ['max', ofAny(Math.max)],
  ['min', ofAny(Math.min)],
  ['mod', ofTwo(mod)],
  ['pow', ofTwo((a, b) => a ** b)],
  // Halves go away from zero, as in mathjs.
  ['round', ofOne((a) => Math.sign(a) * Math.round(Math.abs(a)))],
  ['sign', ofOne(Math.sign)],
  ['sin', ofOne(Math.sin)],
  ['sqrt', ofOne(Math.sqrt)],
  ['tan', ofOne(Math.tan)],
]);

export const EXPRESSION_CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);
