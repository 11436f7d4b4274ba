import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from './service.fixture.ts';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { example?: unknown }>> };
  readonly responses: Readonly<Record<string, { description?: string; $ref?: string }>>;
}

interface Description {
  readonly openapi: string;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Without these the API is whole: pages, files and what other methods are answered with. */
const NOT_DESCRIBED =
  /^(?:HEAD|OPTIONS) |^GET \/\*$| \/docs| \/api\/v1\/openapi\.json$|^(?:POST|PUT|PATCH|DELETE) \/api\/v1\/(?:stream\/.*)?$/;

let opened: TestService;
let description: Description;
let operations: readonly { readonly name: string; readonly operation: Operation }[];

beforeAll(async () => {
  opened = await openTestService();
  description = (await opened.app.inject('/api/v1/openapi.json')).json();
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
});
afterAll(() => opened.close());

/** Every object inside of a value. */
function* objectsIn(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const item of Object.values(value)) yield* objectsIn(item);
}

function pointed(pointer: string): unknown {
  const words = pointer.replace(/^#\//, '').split('/');
  return words.reduce<unknown>((at, word) => (at as Record<string, unknown>)?.[word], description);
}

describe('the description of the API', () => {
  test('has every route, and no other', () => {
    const routes = opened.app.protectedRoutes
      .map(({ name }) => name)
      .filter((name) => !NOT_DESCRIBED.test(name))
      .map((name) => name.replace(/:(\w+)/g, '{$1}'))
      // The roots of prefixes go by their names with and without a slash.
      .map((name) => name.replace(/^((?:GET|POST) \/(?:grafana|openorg|openorg\/admin))$/, '$1/'));
    const hidden = /^(?:GET|POST) \/service\/\w+\.json\//;
    expect(operations.map(({ name }) => name).sort()).toEqual(
      [...new Set(routes)].filter((name) => !hidden.test(name)).sort(),
    );
  });

  test('refers to nothing that it has not', () => {
    const references = [...objectsIn(description)].flatMap(({ $ref }) =>
      typeof $ref === 'string' ? [$ref] : [],
    );
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((reference) => pointed(reference) === undefined)).toEqual([]);
  });

  test('says of every route what it is, who may call it, and what its errors are', () => {
    const schemes = Object.keys(description.components['securitySchemes']!);
    expect(schemes).toEqual(['token', 'password', 'session']);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
    for (const { name, operation } of operations) {
      const { summary, security, responses, parameters = [] } = operation;
      expect([name, typeof summary]).toEqual([name, 'string']);
      const needed = security!.flatMap((each) => Object.keys(each));
      expect([name, needed.every((scheme) => schemes.includes(scheme))]).toEqual([name, true]);
      expect([name, Object.keys(responses)]).toEqual([name, expect.arrayContaining(['4XX'])]);
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = parameters.flatMap((each) => (each.in === 'path' ? [each.name] : []));
      expect([name, declared.sort()]).toEqual([name, inPath.sort()]);
    }
    const securityOf = (name: string) =>
      operations.find((each) => each.name === name)!.operation.security;
    expect(securityOf('GET /healthz')).toEqual([]);
    expect(securityOf('GET /api/v1/users')).not.toContainEqual({});
    expect(securityOf('GET /api/v1/streams')).toContainEqual({});
  });

  test('has examples of what can be written, which can', async () => {
    const { content } = description.paths['/api/v1/write']!['post']!.requestBody!;
    expect(Object.keys(content)).toEqual(['application/json', 'application/x-ndjson', 'text/csv']);
    const lines = description.paths['/write']!['post']!.requestBody!.content;
    for (const [url, bodies] of [
      ['/api/v1/write?strict', content],
      ['/write', lines],
    ] as const) {
      for (const [type, { example }] of Object.entries(bodies)) {
        const answer = await opened.app.inject({
          method: 'POST',
          url,
          headers: { 'content-type': type },
          payload: typeof example === 'string' ? example : JSON.stringify(example),
        });
        expect([type, answer.statusCode]).toEqual([type, url === '/write' ? 204 : 200]);
      }
    }
  });
});
