import { Problem } from '../../http/problem.ts';

const EQUATION_LENGTH_MAX = 2000;
const SHOWN_TOKEN_COUNT_MAX = 1000;
/** A slug may have minus signs inside: one that is an operator has space, or a number, before it. */
const TOKEN = /\s*(?:(\d+(?:\.\d+)?)(?!\w)|([A-Za-z0-9_](?:[\w-]*\w)?)|([-+*/÷×(),]))/y;

type Token =
  | { readonly kind: 'number' | 'function' | 'sign'; readonly text: string }
  | { readonly kind: 'slug'; readonly text: string };

const SIGNS: Readonly<Record<string, string>> = { '÷': '/', '×': '*' };
const SHOWN_SIGNS: Readonly<Record<string, string>> = { '/': '÷', '*': '×' };

/** A formula over series, by their slugs. */
export class Equation {
  readonly #tokens: readonly Token[];

  /** @throws {Problem} 400 naming the place of what is no part of an equation. */
  constructor(text: string) {
    if (text.length > EQUATION_LENGTH_MAX) {
      throw new Problem(400, `equation: at most ${EQUATION_LENGTH_MAX} characters.`, {
        field: 'equation',
      });
    }
    this.#tokens = tokensOf(text);
  }

  /** Slugs of the series that it is computed from, each once. */
  get slugs(): readonly string[] {
    return [...new Set(this.#tokens.filter(({ kind }) => kind === 'slug').map(({ text }) => text))];
  }

  /** The formula with names in the place of slugs, for the operator `expression`. */
  expression(nameOf: (slug: string) => string): string {
    return this.#tokens.map(({ kind, text }) => (kind === 'slug' ? nameOf(text) : text)).join(' ');
  }

  /**
   * As people read it, with the equations of virtual series in the place of their slugs, as long as that is no longer
   * than people read.
   * @param equationOf null for a series that is no virtual one.
   */
  flattened(equationOf: (slug: string) => Equation | null): string {
    return this.#shown(equationOf, { tokenCountLeft: SHOWN_TOKEN_COUNT_MAX });
  }

  #shown(
    equationOf: (slug: string) => Equation | null,
    budget: { tokenCountLeft: number },
  ): string {
    const isWhole = this.#tokens.length === 1;
    const parts = this.#tokens.map(({ kind, text }) => {
      if (kind !== 'slug') return SHOWN_SIGNS[text] ?? text;
      const inner = equationOf(text);
      if (inner === null || inner.#tokens.length > budget.tokenCountLeft) return text;
      budget.tokenCountLeft -= inner.#tokens.length;
      const shown = inner.#shown(equationOf, budget);
      return isWhole || !shown.includes(' ') ? shown : `(${shown})`;
    });
    return parts.join(' ').replaceAll('( ', '(').replaceAll(' )', ')').replaceAll(' ,', ',');
  }
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) {
      const place = at + /^\s*/.exec(text.slice(at))![0].length;
      throw new Problem(
        400,
        `equation: ${JSON.stringify(text[place])} at character ${place + 1} is no part of an equation: expected slugs, numbers, + - * / ( ).`,
        { field: 'equation' },
      );
    }
    at = TOKEN.lastIndex;
    const [, number, word, sign] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (word === undefined) tokens.push({ kind: 'sign', text: SIGNS[sign!] ?? sign! });
    else {
      const isFunction = /^\s*\(/.test(text.slice(at));
      tokens.push({ kind: isFunction ? 'function' : 'slug', text: word });
    }
  }
  return tokens;
}

/**
 * The loop that an equation would close: slugs from the series back to itself; null when there is none.
 * @param sourcesOf of a series; none for one that is no virtual one.
 */
export function loopOf(
  slug: string,
  sources: readonly string[],
  sourcesOf: (slug: string) => readonly string[],
): readonly string[] | null {
  const seen = new Set<string>();
  const walk = (current: string, path: readonly string[]): readonly string[] | null => {
    if (current === slug) return [...path, current];
    if (seen.has(current)) return null;
    seen.add(current);
    for (const source of sourcesOf(current)) {
      const found = walk(source, [...path, current]);
      if (found !== null) return found;
    }
    return null;
  };
  for (const source of sources) {
    const found = walk(source, [slug]);
    if (found !== null) return found;
  }
  return null;
}
