import { describe, expect, test } from '@jest/globals';
import * as errors from '../../src/exceptions/errors.ts';
import * as warnings from '../../src/exceptions/warnings.ts';
import * as surface from '../../src/index.ts';
import { read } from './source-files.ts';

/** Class name and literal code of each, as written in the sources. */
function codesIn(path: string): ReadonlyMap<string, string> {
  const pattern = /export class (\w+)[^{]*\{[\s\S]*?\bcode(?:: string)? = '(\w+)'/g;
  return new Map([...read(path).matchAll(pattern)].map((match) => [match[1]!, match[2]!]));
}

const codes = new Map([
  ...codesIn('src/exceptions/errors.ts'),
  ...codesIn('src/exceptions/warnings.ts'),
]);

describe('error and warning codes', () => {
  test('are one for each class, and all different', () => {
    const classes = [...Object.keys(errors), ...Object.keys(warnings)];
    const concrete = classes.filter((name) => name !== 'DatastreamException');
    expect([...codes.keys()].sort()).toEqual(concrete.sort());
    expect(new Set(codes.values()).size).toBe(codes.size);
  });

  test('are the list in the documentation', () => {
    const rows = [...read('docs/reference/errors.md').matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)];
    expect(new Map(rows.map((row) => [row[1]!, row[2]!]))).toEqual(codes);
  });

  test('can all be matched through the public entry', () => {
    const exported = Object.keys(surface);
    expect(exported).toEqual(expect.arrayContaining([...codes.keys(), 'DatastreamException']));
  });
});
