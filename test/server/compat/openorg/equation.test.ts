import { describe, expect, test } from '@jest/globals';
import { Equation, loopOf } from '../../../../src/server/compat/openorg/equation.ts';

const EQUATIONS: Readonly<Record<string, string>> = {
  v1: 'a + b/c',
  v2: 'v1',
  v3: 'a - (b - c)',
};

const equationOf = (slug: string): Equation | null =>
  Object.hasOwn(EQUATIONS, slug) ? new Equation(EQUATIONS[slug]!) : null;

describe('equations over slugs', () => {
  test('B3.21 find their slugs, with minus signs inside', () => {
    expect(new Equation('v1+v2*4-a/d').slugs).toEqual(['v1', 'v2', 'a', 'd']);
    expect(new Equation('a-b').slugs).toEqual(['a-b']);
    expect(new Equation('a - b').slugs).toEqual(['a', 'b']);
    expect(new Equation('a- b * 2.5 + max(a, 3)').slugs).toEqual(['a', 'b']);
    expect(new Equation('4 * a').slugs).toEqual(['a']);
  });

  test('B3.21 read as people write them, down to what is read', () => {
    expect(new Equation('v2').flattened(equationOf)).toBe('a + b ÷ c');
    expect(new Equation('v1*2').flattened(equationOf)).toBe('(a + b ÷ c) × 2');
    expect(new Equation('d - v3').flattened(equationOf)).toBe('d - (a - (b - c))');
  });

  test('read as far as people read, also where equations lead back', () => {
    const endless = new Equation('p + p').flattened(() => new Equation('p + p'));
    expect(endless.length).toBeLessThan(20_000);
  });

  test('become expressions with names that the engine takes', () => {
    expect(new Equation('total-kw ÷ (2 × x_1)').expression((slug) => `s_${slug.length}`)).toBe(
      's_8 / ( 2 * s_3 )',
    );
  });

  test('say what is no part of them', () => {
    expect(() => new Equation('a + $b')).toThrow('"$" at character 5');
    expect(() => new Equation('a; process.exit()')).toThrow('";" at character 2');
    expect(() => new Equation('a'.repeat(2001))).toThrow('2000');
  });

  test('B3.22 tell loops', () => {
    const sources: Record<string, readonly string[]> = { q: ['p'], r: ['a'] };
    const sourcesOf = (slug: string): readonly string[] => sources[slug] ?? [];
    expect(loopOf('p', ['r', 'q'], sourcesOf)).toEqual(['p', 'q', 'p']);
    expect(loopOf('p', ['p'], sourcesOf)).toEqual(['p', 'p']);
    expect(loopOf('s', ['q', 'r'], sourcesOf)).toBeNull();
  });
});
