import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { TestService } from '../service.fixture.ts';

const RUN_COUNT = 150;

/** Texts that break things that are careless, and others. */
const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e400',
    'NaN',
    'null',
    '*',
    '__proto__',
    '../..',
    '%',
    ';',
    'now',
  ),
  fc.constantFrom('2026-01-01', '9'.repeat(30), '[]', '{}', '"', '\u0000', '😀', "a'--", 'tags__'),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);

/** A part of a path or a query, as clients have to write it. */
const oddPart: fc.Arbitrary<string> = oddText.map((text) => encodeURIComponent(text));

export interface FuzzedRoutes {
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'DELETE')[];
  /** Paths; each `*` becomes a part. */
  readonly paths: readonly string[];
  readonly parameters: readonly string[];
  /** Bodies that are not quite right, and their types; absent: there are none. */
  readonly body?: fc.Arbitrary<unknown>;
  readonly types?: readonly string[];
}

/** Asks for the oddest things, and expects that no answer blames the service. */
export async function expectNoFailure(
  { app }: TestService,
  { methods, paths, parameters, body, types = ['application/json'] }: FuzzedRoutes,
): Promise<void> {
  const names = parameters.length === 0 ? fc.constant('x') : fc.constantFrom(...parameters);
  const query = fc.array(fc.tuple(names, oddPart), { maxLength: 4 });
  const path = fc
    .tuple(fc.constantFrom(...paths), fc.array(oddPart, { minLength: 4, maxLength: 4 }))
    .map(([template, parts]) => {
      let next = 0;
      return template.replaceAll('*', () => parts[next++ % parts.length]!);
    });
  const payload = fc.oneof(oddText, (body ?? fc.json()).map(textOf), fc.json());
  const request = fc.record({
    method: fc.constantFrom(...methods),
    path,
    query,
    payload,
    type: fc.constantFrom(...types),
  });
  await fc.assert(
    fc.asyncProperty(request, async (odd) => {
      const search = odd.query.map(([name, value]) => `${name}=${value}`).join('&');
      const answer = await app.inject({
        method: odd.method,
        url: `${odd.path}?${search}`,
        ...(odd.method !== 'GET' && {
          payload: odd.payload,
          headers: { 'content-type': odd.type },
        }),
      });
      // Text that is not a stack trace: no file of ours has its place in an answer.
      expect(answer.payload).not.toMatch(/\.ts:\d+|\bat \w+ \(/);
      expect(answer.statusCode === 501 ? 400 : answer.statusCode).toBeLessThan(500);
    }),
    { numRuns: RUN_COUNT },
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
