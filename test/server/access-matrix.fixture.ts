import { OPERATOR } from '../../src/server/access/identity.ts';
import type { Feed } from '../../src/server/compat/feeds/feed-record.ts';
import type { GrantPermission } from '../../src/server/state/permissions.ts';
import { openTestService, type TestService } from './service.fixture.ts';

export const ROLES = [
  'anonymous',
  'viewer',
  'appender',
  'owner',
  'other',
  'admin',
  'expired',
] as const;
export type Role = (typeof ROLES)[number];

const PASSWORD = 'long enough, and odd';
const BY_OPERATOR = { identity: OPERATOR, address: null };
const HOUR_MS = 3_600_000;
/** Stands in the names and tags of everything that is the owner's. */
export const SECRET = 'hush';
const NAMED = ['viewer', 'appender', 'owner', 'other', 'admin'] as const;
type Named = (typeof NAMED)[number];

/** A service with people in it, and what they ask about: whatever a request names is made for that request alone. */
export class Cast {
  readonly #opened: TestService;
  readonly #headers: Map<Role, Record<string, string>>;
  readonly #ids: ReadonlyMap<Named, string>;
  #count = 0;

  private constructor(
    opened: TestService,
    headers: Map<Role, Record<string, string>>,
    ids: ReadonlyMap<Named, string>,
  ) {
    this.#opened = opened;
    this.#headers = headers;
    this.#ids = ids;
  }

  static async open(): Promise<Cast> {
    let shiftMs = 0;
    const opened = await openTestService(
      {
        access: { mode: 'users', passwordMemoryKib: 8, passwordPasses: 1 },
        jobs: Object.fromEntries(
          ['maintenance', 'alerts', 'cleanup', 'demo'].map((job) => [job, { enabled: false }]),
        ),
      },
      { now: () => new Date(Date.now() + shiftMs) },
    );
    const { access } = opened.service;
    const ids = new Map<Named, string>();
    for (const name of NAMED) {
      const isAdmin = name === 'admin';
      const { id } = await access.users.add({ name, password: PASSWORD, isAdmin }, BY_OPERATOR);
      ids.set(name, id);
    }
    // Everything that an admin's token can be good for.
    const { secret } = access.tokens.create(
      {
        userId: ids.get('admin')!,
        name: 'expired',
        scopes: ['view', 'append', 'change', 'delete', 'grant', 'admin'],
        expiresAtMs: Date.now() + HOUR_MS,
      },
      BY_OPERATOR,
    );
    shiftMs = 2 * HOUR_MS;
    const headers = new Map<Role, Record<string, string>>([
      ['anonymous', {}],
      ['expired', { authorization: `Bearer ${secret}` }],
    ]);
    const cast = new Cast(opened, headers, ids);
    for (const name of NAMED) headers.set(name, await cast.#logIn(name));
    for (const tags of [{ of: 'owner' }, { source: 'feed' }, { openorg: {} }]) {
      access.grants.add(
        {
          subject: { kind: 'user', userId: ids.get('owner')! },
          permissions: ['create'],
          target: { kind: 'query', tags },
        },
        BY_OPERATOR,
      );
    }
    return cast;
  }

  get opened(): TestService {
    return this.#opened;
  }

  headersOf(role: Role): Record<string, string> {
    return this.#headers.get(role)!;
  }

  idOf(name: Named): string {
    return this.#ids.get(name)!;
  }

  /** Another text with each call. */
  newName(): string {
    return `n${++this.#count}`;
  }

  /** A stream of the owner's, which the viewer may view and the appender may append to. */
  async stream(): Promise<string> {
    const { datastream } = this.#opened.service;
    const tags = { of: 'somebody', name: this.newName(), word: SECRET };
    const id = await datastream.ensureStream(tags, {
      valueDownsamplers: ['mean'],
      highestGranularity: 'seconds',
    });
    await datastream.append(id, 1, new Date(Date.now() - HOUR_MS));
    this.#own(id);
    return id;
  }

  async feed(): Promise<Feed> {
    const { feeds } = this.#opened.service.feeds;
    const ownerId = this.idOf('owner');
    const made = feeds.create({ name: `${SECRET} ${this.newName()}`, yCast: 'float', ownerId });
    const streamId = await feeds.addAxis(made, 'axis');
    this.#own(streamId);
    const feed = feeds.find(made.id)!;
    const stream = (await feeds.streamOf(feed.axes[0]!))!;
    await feeds.post(stream, { timestampMs: Date.now() - HOUR_MS, value: 1 });
    return feed;
  }

  /** A series of OpenOrg's API, by its slug. */
  async series(): Promise<string> {
    const { app, service } = this.#opened;
    const slug = this.newName();
    await app.inject({
      method: 'POST',
      url: '/openorg/admin/',
      headers: this.headersOf('owner'),
      payload: { ...this.seriesBody(slug), notes: SECRET },
    });
    const [stream] = await service.datastream.findStreams({ openorg: { slug } }).toArray();
    this.#own(stream!.id);
    return slug;
  }

  seriesBody(slug: string): object {
    const archives = [{ aggregation_type: 'average', aggregation: 1, count: 10 }];
    const config = { start: 0, interval: 60, series_type: 'gauge', timezone_name: 'UTC', archives };
    return { slug, title: 'title', is_public: false, config };
  }

  async user(): Promise<string> {
    const user = { name: this.newName(), password: null };
    return (await this.#opened.service.access.users.add(user, BY_OPERATOR)).id;
  }

  group(): string {
    return this.#opened.service.access.groups.add(this.newName(), BY_OPERATOR).id;
  }

  async grant(): Promise<string> {
    return this.#grant(await this.stream(), await this.user(), ['view']);
  }

  token(): string {
    const token = {
      userId: this.idOf('owner'),
      name: SECRET,
      scopes: ['view'] as const,
      expiresAtMs: null,
    };
    return this.#opened.service.access.tokens.create(token, BY_OPERATOR).token.id;
  }

  dashboard(): string {
    return this.#opened.service.state.dashboards.insert({
      id: this.newName(),
      name: SECRET,
      ownerId: this.idOf('owner'),
      isShared: false,
      content: [],
      createdAtMs: 0,
      updatedAtMs: 0,
    }).id;
  }

  async rule(): Promise<string> {
    const made = await this.#opened.app.inject({
      method: 'POST',
      url: '/api/v1/alerts/rules',
      headers: this.headersOf('owner'),
      payload: await this.ruleBody(),
    });
    return made.json().id;
  }

  async ruleBody(): Promise<object> {
    return {
      name: SECRET,
      target: { stream: await this.stream() },
      condition: { kind: 'stale', after: '1h' },
    };
  }

  async #logIn(name: string): Promise<Record<string, string>> {
    const answer = await this.#opened.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { name, password: PASSWORD },
    });
    const [cookie] = answer.cookies;
    return {
      cookie: `${cookie!.name}=${cookie!.value}`,
      'x-csrf-token': answer.json().csrfToken,
    };
  }

  /** Headers of another session, which nothing else needs. */
  async newSession(role: Role): Promise<Record<string, string>> {
    return role === 'anonymous' || role === 'expired' ? this.headersOf(role) : this.#logIn(role);
  }

  /** As `newSession`, which is the only one from now on: his password is to be changed. */
  async onlySession(role: Role): Promise<Record<string, string>> {
    const headers = await this.newSession(role);
    this.#headers.set(role, headers);
    return headers;
  }

  #own(streamId: string): void {
    this.#grant(streamId, this.idOf('owner'), ['view', 'append', 'change', 'delete', 'grant']);
    this.#grant(streamId, this.idOf('viewer'), ['view']);
    this.#grant(streamId, this.idOf('appender'), ['append']);
  }

  #grant(streamId: string, userId: string, permissions: readonly GrantPermission[]): string {
    const { access } = this.#opened.service;
    const subject = { kind: 'user', userId } as const;
    const target = { kind: 'stream', streamId } as const;
    return access.grants.add({ subject, permissions, target, tags: null }, BY_OPERATOR).id;
  }
}
