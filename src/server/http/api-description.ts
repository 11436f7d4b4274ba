import type { SwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { RouteAccess } from '../access/fastify-hooks.ts';
import { PROBLEM_TYPE, problemSchema } from './problem.ts';

/** A body that is read as it comes, and is no schema's. */
interface DescribedBody {
  readonly description?: string;
  /** As it is sent: text, or JSON. */
  readonly example: unknown;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the description of the API cannot take from schemas. */
    described?: {
      /** By media type. */
      readonly bodies?: Readonly<Record<string, DescribedBody>>;
      /** What a success means, by status, in the place of an answer with a body. */
      readonly successes?: Readonly<Record<number, string>>;
    };
  }
}

interface Operation {
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
  readonly tags?: readonly string[];
}

interface Description {
  readonly components: Record<string, unknown>;
  readonly paths: Readonly<Record<string, Record<string, Operation>>>;
}

interface DescribedRoute {
  readonly access: RouteAccess | undefined;
  readonly described: NonNullable<import('fastify').FastifyContextConfig['described']>;
}

const SECURITY_SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'An API token: `dse_…`.' },
  password: { type: 'http', scheme: 'basic', description: 'Name and password of a user.' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'datastream',
    description:
      'What `POST /api/v1/session` sets, `__Host-datastream` over TLS. All methods but GET then need the header ' +
      '`x-csrf-token` with the `csrfToken` of the session.',
  },
};
const SIGNED_IN = [{ token: [] }, { password: [] }, { session: [] }];
/** Streams may be granted to everybody. */
const MAYBE_ANYBODY = [...SIGNED_IN, {}];

/** How the API is described, by OpenAPI 3.1: from the schemas that validate, and what routes say of themselves. */
export function apiDescription(app: FastifyInstance): SwaggerOptions {
  const routes = new Map<string, DescribedRoute>();
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat()) {
      const route = {
        // Hooks that run later may still say it.
        get access() {
          return config?.access;
        },
        get described() {
          return config?.described ?? {};
        },
      };
      routes.set(routeKey(each, url.replace(/:(\w+)/g, '{$1}')), route);
    }
  });
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'datastream-engine',
        description: 'Streams of datapoints at every granularity, with derived streams.',
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
    },
    transform: createJsonSchemaTransform({ skipList: ['/docs', '/docs/*'] }),
    transformObject: (document) => {
      const description = jsonSchemaTransformObject(document) as unknown as Description;
      complete(description, routes);
      return description as ReturnType<typeof jsonSchemaTransformObject>;
    },
  };
}

function complete(
  { components, paths }: Description,
  routes: ReadonlyMap<string, DescribedRoute>,
): void {
  components['securitySchemes'] = SECURITY_SCHEMES;
  components['responses'] = {
    Problem: {
      description: 'What is wrong, as in RFC 9457.',
      content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  };
  (components['schemas'] as Record<string, unknown>)['Problem'] = problemSchema;
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const key = routeKey(method, path);
      // The root of a prefix goes by its name with and without a slash.
      const route = routes.get(key) ?? routes.get(key.replace(/\/$/, ''));
      const { bodies, successes } = route?.described ?? {};
      const { parameters } = operation;
      // Methods of one route are one object.
      operations[method] = {
        ...operation,
        operationId: operationId(method, path),
        security: securityOf(route?.access),
        // Addresses that share a schema have fewer parts than it.
        ...(parameters !== undefined && {
          parameters: parameters.filter(
            (each) => each.in !== 'path' || path.includes(`{${each.name}}`),
          ),
        }),
        ...(bodies !== undefined && { requestBody: describedBodies(bodies) }),
        responses: {
          ...(successes === undefined ? operation.responses : describedSuccesses(successes)),
          '4XX': refusalOf(operation),
        },
      };
    }
  }
}

type Described = DescribedRoute['described'];

function describedBodies(bodies: NonNullable<Described['bodies']>): object {
  const content = Object.entries(bodies).map(([type, { description, example }]) => [
    type,
    {
      schema: {
        ...(typeof example === 'string' && { type: 'string' }),
        ...(description !== undefined && { description }),
      },
      example,
    },
  ]);
  return { required: true, content: Object.fromEntries(content) };
}

function describedSuccesses(
  successes: NonNullable<Described['successes']>,
): Record<string, object> {
  return Object.fromEntries(
    Object.entries(successes).map(([status, description]) => [status, { description }]),
  );
}

function refusalOf({ tags }: Operation): object {
  return tags?.includes('compatibility') === true
    ? { description: 'What is wrong, as clients of the other system know it.' }
    : { $ref: '#/components/responses/Problem' };
}

function securityOf(access: RouteAccess | undefined): readonly object[] {
  if (access === 'public') return [];
  return access === 'signed-in' || access === 'admin' ? SIGNED_IN : MAYBE_ANYBODY;
}

function routeKey(method: string, path: string): string {
  return `${method.toUpperCase()} ${path}`;
}

/** As in `getApiV1StreamsById`. */
function operationId(method: string, path: string): string {
  const words = path.replace(/\{(\w+)\}/g, 'by-$1').split(/[^A-Za-z0-9]+/);
  const capitalized = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return method + capitalized.join('');
}
