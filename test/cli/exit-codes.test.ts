import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { CliError } from '../../src/cli/cli-error.ts';
import { EXIT_CODES, errorCodeOf, exitCodeOf } from '../../src/cli/exit-codes.ts';
import * as errors from '../../src/exceptions/errors.ts';

describe('exit codes', () => {
  test('the table of the reference is the table of the code', async () => {
    const path = new URL('../../docs/reference/cli.md', import.meta.url);
    const documented = [
      ...(await readFile(path, 'utf8')).matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm),
    ];
    const table = documented.map(([, code, exitCode]) => [code, Number(exitCode)]);
    expect(table).toEqual(Object.entries(EXIT_CODES));
  });

  test('every error of the engine has its own', () => {
    const codes = Object.values(errors)
      .filter((error) => error.name !== 'DatastreamException')
      .map((error) => new (error as new (message: string) => { code: string })('x').code);
    expect(codes.length).toBeGreaterThan(20);
    for (const code of codes) expect(EXIT_CODES).toHaveProperty(code);
    expect(new Set(Object.values(EXIT_CODES)).size).toBe(Object.keys(EXIT_CODES).length);
  });

  test('an error gives the exit code of its code', () => {
    expect(exitCodeOf(new errors.StreamNotFound('x'))).toBe(10);
    expect(exitCodeOf(new CliError('USAGE', 'x'))).toBe(2);
    expect(exitCodeOf(new DOMException('x', 'AbortError'))).toBe(130);
    expect(exitCodeOf(Object.assign(new Error(), { code: 'ENOENT', syscall: 'open' }))).toBe(6);
    expect(exitCodeOf(new Error('x'))).toBe(70);
    expect(errorCodeOf(null)).toBeNull();
  });
});
