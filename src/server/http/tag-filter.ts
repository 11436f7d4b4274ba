import { isReservedTagName } from '../../api/tag-checks.ts';
import type { Json, Tags } from '../../model/tags.ts';
import { Problem } from './problem.ts';

/** Begins the name of every parameter that asks for a tag, as in `tags__site__in=a,b`. */
const PREFIX = 'tags__';
const SEPARATOR = '__';

/** How a tag is compared: names as in the queries of Django, which clients know. */
const OPERATORS = {
  exact: (tag, { last }) => isEqual(tag, last),
  ne: (tag, { last }) => !isEqual(tag, last),
  /** The value, or a list with it. */
  holds: (tag, { last }) => itemsOf(tag).some((item) => isEqual(item, last)) || isEqual(tag, last),
  iexact: (tag, { last }) => typeof tag === 'string' && fold(tag) === fold(last.text),
  contains: (tag, { last }) =>
    Array.isArray(tag)
      ? tag.some((item) => isEqual(item, last))
      : typeof tag === 'string' && tag.includes(last.text),
  icontains: (tag, { last }) => typeof tag === 'string' && fold(tag).includes(fold(last.text)),
  startswith: (tag, { last }) => typeof tag === 'string' && tag.startsWith(last.text),
  istartswith: (tag, { last }) => typeof tag === 'string' && fold(tag).startsWith(fold(last.text)),
  endswith: (tag, { last }) => typeof tag === 'string' && tag.endsWith(last.text),
  iendswith: (tag, { last }) => typeof tag === 'string' && fold(tag).endsWith(fold(last.text)),
  in: (tag, { words }) => itemsOf(tag).some((item) => words.some((word) => isEqual(item, word))),
  nin: (tag, { words }) => !itemsOf(tag).some((item) => words.some((word) => isEqual(item, word))),
  all: (tag, { words }) => words.every((word) => itemsOf(tag).some((item) => isEqual(item, word))),
  gt: (tag, { last }) => orderOf(tag, last) > 0,
  gte: (tag, { last }) => orderOf(tag, last) >= 0,
  lt: (tag, { last }) => orderOf(tag, last) < 0,
  lte: (tag, { last }) => orderOf(tag, last) <= 0,
  exists: (tag, { last }) => (tag !== undefined) === (last.value !== false),
} satisfies Record<string, (tag: Json | undefined, operand: Operand) => boolean>;

type OperatorName = keyof typeof OPERATORS;

/** Names of the operators, for documents and messages. */
export const TAG_OPERATORS: readonly string[] = Object.freeze(Object.keys(OPERATORS));

/** A word of a parameter, and the value that it may stand for. */
interface Word {
  readonly text: string;
  readonly value: Json;
}

interface Operand {
  /** Of repeated parameters the last one counts. */
  readonly last: Word;
  /** Between commas, and of repeated parameters. */
  readonly words: readonly Word[];
}

interface TagCondition {
  readonly path: readonly string[];
  readonly operator: OperatorName;
  readonly operand: Operand;
}

/** Which streams a request asks for. */
export class TagFilter {
  /** What the store can look for by itself; the rest is asked of each stream by `matches`. */
  readonly query: Tags;
  readonly #conditions: readonly TagCondition[];

  private constructor(query: Tags, conditions: readonly TagCondition[]) {
    this.query = query;
    this.#conditions = conditions;
  }

  /**
   * Reads the parameters `tags__…` of a query string, and leaves the others to the caller. Nested names and the
   * operator are separated by `__`; `true`, `false`, `null`, `none` and numbers are values of these types.
   * @param options.asksLists whether a list has each of its items as a value, too, as in MongoDB. Looks at all streams.
   * @throws {Problem} 400 when a name is empty.
   */
  static parse(
    parameters: Readonly<Record<string, unknown>>,
    { asksLists = false }: { readonly asksLists?: boolean } = {},
  ): TagFilter {
    const conditions = Object.entries(parameters)
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([name, given]) => parseCondition(name, given))
      .map((item): TagCondition => {
        return asksLists && item.operator === 'exact' ? { ...item, operator: 'holds' } : item;
      });
    // What looks like a number may be a text in the tags, and reserved names, which no tag has, may be more than
    // tags to the store: only plain texts of others mean the same to it.
    const plain = conditions.filter(({ path, operator, operand: { last } }) => {
      return operator === 'exact' && typeof last.value === 'string' && !isReservedTagName(path[0]!);
    });
    const query = plain.reduce<Tags>((tags, { path, operand }) => {
      return layOver(tags, path, operand.last.text);
    }, {});
    return new TagFilter(query, conditions);
  }

  /** Whether a stream has such tags. */
  matches(tags: Tags): boolean {
    return this.#conditions.every(({ path, operator, operand }) => {
      return OPERATORS[operator](tagAt(tags, path), operand);
    });
  }
}

function parseCondition(name: string, given: unknown): TagCondition {
  const parts = name.slice(PREFIX.length).split(SEPARATOR);
  const last = parts.at(-1)!;
  const hasOperator = parts.length > 1 && isOperator(last);
  const path = hasOperator ? parts.slice(0, -1) : parts;
  if (path.includes('')) {
    throw new Problem(400, `${name} names no tag; expected e.g. tags__site or tags__site__in.`, {
      field: name,
    });
  }
  const texts = (Array.isArray(given) ? given : [given]).map(String);
  const operator = hasOperator ? (last as OperatorName) : 'exact';
  const isList = operator === 'in' || operator === 'nin' || operator === 'all';
  const words = (isList ? texts.flatMap((text) => text.split(',')) : texts).map(wordOf);
  return { path, operator, operand: { last: wordOf(texts.at(-1)!), words } };
}

function isOperator(name: string): name is OperatorName {
  return Object.hasOwn(OPERATORS, name);
}

function wordOf(text: string): Word {
  return { text, value: jsonOf(text) };
}

function jsonOf(text: string): Json {
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'none':
    case 'null':
      return null;
    default: {
      const isNumber = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
      return isNumber && Number.isFinite(Number(text)) ? Number(text) : text;
    }
  }
}

function tagAt(tags: Tags, path: readonly string[]): Json | undefined {
  let value: Json | undefined = tags;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Tags)[key];
  }
  return value;
}

function layOver(tags: Tags, [key = '', ...rest]: readonly string[], value: Json): Tags {
  const below = Object.hasOwn(tags, key) ? tags[key] : undefined;
  const isBranch = typeof below === 'object' && below !== null && !Array.isArray(below);
  const inner = rest.length === 0 ? value : layOver(isBranch ? (below as Tags) : {}, rest, value);
  return { ...tags, [key]: inner };
}

/** A tag may hold a text that looks like a value of another type. */
function isEqual(tag: Json | undefined, { text, value }: Word): boolean {
  return tag === value || tag === text;
}

function itemsOf(tag: Json | undefined): readonly Json[] {
  if (tag === undefined) return [];
  return Array.isArray(tag) ? tag : [tag];
}

/** NaN, which is in no order, unless both are numbers or the tag is a text. */
function orderOf(tag: Json | undefined, { text, value }: Word): number {
  if (typeof tag === 'number' && typeof value === 'number') return tag - value;
  if (typeof tag !== 'string') return Number.NaN;
  return tag < text ? -1 : Number(tag > text);
}

function fold(text: string): string {
  return text.toLowerCase();
}
