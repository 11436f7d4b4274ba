import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Cast } from './access-matrix.fixture.ts';
import { type FuzzRequest, type Known, requestsTo } from './fuzz.fixture.ts';

/** Cases of all routes together, at least. */
const CASE_COUNT = 10_000;
/** What is read of an answer: some have no end. */
const ANSWER_LENGTH_MAX = 65_536;
/** Nothing of the service's own may stand in an answer. */
const INSIDES =
  /\n\s+at |node_modules|\.[mc]?[jt]s:\d|node:internal|Maximum call stack|\/src\/server/;

/** Where errors say what is wrong: problems, and the forms that clients of other services know. */
const SENTENCES = ['detail', 'error', 'message', 'error_message'];

let cast: Cast;
const rejections: unknown[] = [];
const note = (error: unknown): void => {
  rejections.push(error);
};

beforeAll(async () => {
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  cast = await Cast.open();
});
afterAll(async () => {
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  await cast.opened.close();
});

const held = new Map<string, string>();

/** What a name stands for, made anew where a request has deleted it: making it takes longer than asking. */
async function thing(
  name: string,
  make: () => Promise<string> | string,
  isThere: (id: string) => Promise<boolean> | boolean,
): Promise<string> {
  const present = held.get(name);
  if (present !== undefined && (await isThere(present))) return present;
  const made = await make();
  held.set(name, made);
  return made;
}

/** Whatever an address can name. */
async function known(): Promise<Known> {
  const { datastream, state, feeds } = cast.opened.service;
  const isStream = (id: string) =>
    datastream.getStream(id).then(
      () => true,
      () => false,
    );
  const stream = (name: string) => thing(name, () => cast.stream(), isStream);
  const feed = (name: string) =>
    thing(
      name,
      async () => (await cast.feed()).id,
      (id) => feeds.feeds.find(id) !== null,
    );
  const user = (name: string) =>
    thing(
      name,
      () => cast.user(),
      (id) => state.users.get(id) !== null,
    );
  const streamIds = [await stream('first'), await stream('second')];
  const others = [
    await thing(
      'dashboard',
      () => cast.dashboard(),
      (id) => state.dashboards.get(id) !== null,
    ),
    await thing(
      'rule',
      () => cast.rule(),
      (id) => state.alertRules.get(id) !== null,
    ),
    await thing(
      'group',
      () => cast.group(),
      (id) => state.groups.get(id) !== null,
    ),
    await thing(
      'token',
      () => cast.token(),
      (id) => state.tokens.get(id)?.revokedAtMs === null,
    ),
    await user('first user'),
  ];
  const series = await thing(
    'series',
    () => cast.series(),
    async (slug) => (await datastream.findStreams({ openorg: { slug } }).count()) > 0,
  );
  return {
    streamIds,
    parameters: {
      id: [...streamIds, ...others],
      ids: [streamIds.join(';')],
      feed: [await feed('first feed'), await feed('second feed')],
      axis: ['axis'],
      userId: [await user('second user')],
      slug: [series],
      name: ['cleanup', 'alerts', 'sine-demo'],
      age: ['12', '1e3'],
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** Whether `text` is all of it. */
  readonly isWhole: boolean;
}

async function ask({ method, url, headers, payload }: FuzzRequest): Promise<Answer> {
  const answer = await cast.opened.app.inject({
    method: method as 'GET',
    url,
    headers,
    ...(payload !== undefined && { payload }),
    payloadAsStream: true,
  });
  const { statusCode: status } = answer;
  const type = String(answer.headers['content-type'] ?? '');
  const stream = answer.stream();
  const isEndless = type.startsWith('text/event-stream');
  let text = '';
  let isWhole = true;
  for await (const chunk of stream) {
    text += String(chunk);
    isWhole = !isEndless && text.length <= ANSWER_LENGTH_MAX;
    if (!isWhole) break;
  }
  stream.destroy();
  return { status, type, text, isWhole };
}

/** What is wrong with an answer, if anything. */
function faultOf(request: FuzzRequest, { status, type, text, isWhole }: Answer): string | null {
  if (rejections.length > 0) return `a failure that nobody handles: ${String(rejections)}`;
  if (status >= 500) return `status ${status}: ${text.slice(0, 300)}`;
  const isProse = request.url.startsWith('/docs') || request.url.includes('openapi');
  if (!isProse && INSIDES.test(text)) return `insides in ${text.slice(0, 300)}`;
  if (status < 400 || request.method === 'HEAD') return null;
  if (!isWhole) return `an error of more than ${ANSWER_LENGTH_MAX} characters`;
  if (!type.includes('json')) return null;
  const body = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  const says = SENTENCES.some((name) => typeof body[name] === 'string');
  const isProblem = !type.includes('problem') || body['status'] === status;
  return says && isProblem ? null : `an error without a sentence: ${text.slice(0, 300)}`;
}

describe('whatever is sent', () => {
  test(`${CASE_COUNT} requests are answered, and none fails`, async () => {
    const { app, service } = cast.opened;
    const routes = app.protectedRoutes
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('HEAD '));
    const { secret } = service.access.tokens.create(
      {
        userId: cast.idOf('admin'),
        name: 'fuzz',
        scopes: ['view', 'append', 'change', 'delete', 'grant', 'admin'],
        expiresAtMs: null,
      },
      { identity: service.access.identityOf(cast.idOf('admin'))!, address: null },
    );
    const numRuns = Math.ceil(CASE_COUNT / routes.length);
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
    process.stdout.write(
      `fuzz: ${numRuns} requests to each of ${routes.length} routes; FUZZ_SEED=${seed}\n`,
    );
    for (const route of routes) {
      const names = await known();
      await fc.assert(
        fc.asyncProperty(
          requestsTo(route, names),
          fc.constantFrom<Record<string, string>>({}, { authorization: `Bearer ${secret}` }),
          async (request, credentials) => {
            const headers = { ...credentials, ...request.headers };
            const fault = faultOf(request, await ask({ ...request, headers }));
            if (fault !== null) throw new Error(`${request.method} ${request.url}: ${fault}`);
          },
        ),
        { numRuns, seed },
      );
    }
    expect(({} as { t?: unknown; n?: unknown }).t).toBeUndefined();
    const health = await app.inject('/readyz');
    expect(health.json().status).toBe('ok');
    const listed = await app.inject({ url: '/api/v1/streams', headers: cast.headersOf('admin') });
    expect(listed.statusCode).toBe(200);
  });
});
