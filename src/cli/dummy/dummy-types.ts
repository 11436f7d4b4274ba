import type { StreamDefinition } from '../../api/types.ts';
import { usageError } from '../cli-error.ts';

/** What the values of an invented stream are, and how it is drawn. */
export interface DummyType {
  /** As it was given: `int(0,10)`. */
  readonly text: string;
  readonly valueType: NonNullable<StreamDefinition['valueType']>;
  readonly downsamplers: readonly string[];
  /** Tag `visualization`; null: charts draw nothing of it by themselves. */
  readonly visualization: Readonly<Record<string, string | number | string[]>> | null;
  /** Gives the next values, each not far from the one before it. */
  newValues(random: () => number): () => unknown;
}

const SYNTAX = 'int(a,b), float(a,b), enum(x,y,…), graph(n,m)';
/** How far numbers go from one to the next, of their whole range, at most. */
const STEP_SHARE = 0.1;
/** How often a state changes. */
const CHANGE_CHANCE = 0.05;
const VERTEX_COUNT_MAX = 1000;

/**
 * Reads types between commas, as django-datastream's `dummystream` has them.
 * @throws {CliError} USAGE
 */
export function parseDummyTypes(text: string): readonly DummyType[] {
  const list = text.replaceAll(/\s/g, '');
  const parts = list.match(/[^,()]+\([^()]*\)/g) ?? [];
  if (parts.length === 0 || parts.join(',') !== list) {
    throw usageError(`Not types of streams: ${JSON.stringify(text)}; expected ${SYNTAX}.`);
  }
  return parts.map(dummyType);
}

function dummyType(text: string): DummyType {
  const [, name, list] = /^(\w+)\((.*)\)$/.exec(text) ?? [];
  const words = (list ?? '').split(',');
  switch (name) {
    case 'int':
      return numberType(text, words, Math.round);
    case 'float':
      return numberType(text, words, (value) => value);
    case 'enum':
      return stateType(text, words);
    case 'graph':
      return graphType(text, words);
    default:
      throw usageError(`There is no type ${JSON.stringify(text)}; expected ${SYNTAX}.`);
  }
}

function numberType(
  text: string,
  words: readonly string[],
  fitted: (value: number) => number,
): DummyType {
  const [low = Number.NaN, high = Number.NaN] = words.map(Number);
  if (words.length !== 2 || words.includes('') || !(low < high) || !Number.isFinite(high - low)) {
    throw usageError(`${text}: expected two numbers, the smaller one first.`);
  }
  return {
    text,
    valueType: 'numeric',
    downsamplers: ['mean', 'min', 'max', 'sum', 'count', 'std_dev'],
    visualization: {
      type: 'line',
      value_downsamplers: ['mean', 'min', 'max'],
      time_downsamplers: ['mean'],
      minimum: low,
      maximum: high,
    },
    newValues: (random) => {
      let value = low + random() * (high - low);
      return () => {
        value += (2 * random() - 1) * STEP_SHARE * (high - low);
        // It turns back at the ends, so that it does not stay there.
        if (value < low) value = 2 * low - value;
        else if (value > high) value = 2 * high - value;
        return fitted(value);
      };
    },
  };
}

function stateType(text: string, states: readonly string[]): DummyType {
  if (states.includes('')) throw usageError(`${text}: expected names of states.`);
  return {
    text,
    valueType: 'nominal',
    downsamplers: ['count', 'most_often', 'last'],
    visualization: null,
    newValues: (random) => {
      let state = 0;
      return () => {
        if (random() < CHANGE_CHANCE) state = Math.floor(random() * states.length);
        return states[state];
      };
    },
  };
}

function graphType(text: string, words: readonly string[]): DummyType {
  const [vertexCount = 0, edgeCount = 0] = words.map((word) =>
    /^\d+$/.test(word) ? Number(word) : Number.NaN,
  );
  const isFit = vertexCount >= 1 && vertexCount <= VERTEX_COUNT_MAX && edgeCount >= 0;
  if (words.length !== 2 || !isFit || edgeCount > VERTEX_COUNT_MAX) {
    throw usageError(`${text}: expected how many vertices and edges, up to ${VERTEX_COUNT_MAX}.`);
  }
  return {
    text,
    valueType: 'graph',
    downsamplers: ['count'],
    visualization: null,
    newValues: (random) => () => {
      const vertex = (): number => Math.floor(random() * vertexCount);
      return {
        v: Array.from({ length: vertexCount }, (_, i) => ({ i })),
        e: Array.from({ length: edgeCount }, () => ({ f: vertex(), t: vertex() })),
      };
    },
  };
}
