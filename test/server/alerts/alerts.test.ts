import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Datastream } from '../../../src/api/datastream.ts';
import type { StreamQuery } from '../../../src/backends/backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import type { StreamSnapshot } from '../../../src/model/stream.ts';
import { Alerts } from '../../../src/server/alerts/alerts.ts';
import type { ChannelSettings } from '../../../src/server/alerts/channels.ts';
import { ruleDefinitionSchema } from '../../../src/server/alerts/rule-definition.ts';
import type { AlertRule } from '../../../src/server/state/records/alert.ts';
import { StateStore } from '../../../src/server/state/state-store.ts';
import { temporaryFolder } from '../state/support.ts';
import { hookServer, mailServer } from './receivers.ts';

const NOON = Date.UTC(2026, 2, 1, 12);
const MINUTE_MS = 60_000;
const SECRET = 'a secret of the webhooks';
const NUMERIC = { valueDownsamplers: ['mean', 'max'], highestGranularity: 'seconds' };
const NEVER = new AbortController().signal;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

class Fixture {
  nowMs = NOON;
  readonly lines: Record<string, unknown>[] = [];
  readonly datastream: Datastream;
  readonly folder: string;
  state!: StateStore;
  alerts!: Alerts;
  readonly #settings: Partial<ChannelSettings>;

  constructor(datastream: Datastream, folder: string, settings: Partial<ChannelSettings>) {
    this.datastream = datastream;
    this.folder = folder;
    this.#settings = settings;
  }

  /** As a process that begins: with nothing but what is on disk. */
  async start(): Promise<void> {
    this.state = await StateStore.open(this.folder);
    this.alerts = this.another();
  }

  async stop(): Promise<void> {
    await this.alerts.stop();
    await this.state.close();
  }

  /** As another process on the same state. */
  another(): Alerts {
    return new Alerts({
      state: this.state,
      datastream: this.datastream,
      settings: {
        timeoutMs: 2000,
        webhookSecret: SECRET,
        email: null,
        tryCountMax: 3,
        ...this.#settings,
      },
      mayTell: () => true,
      watchRights: (ownerId) => (ownerId === 'gone' ? null : ({ tags }) => tags['hidden'] !== true),
      now: () => new Date(this.nowMs),
      random: () => 0.5,
      log: pino({ level: 'warn' }, { write: (line) => this.lines.push(JSON.parse(line)) }),
    });
  }

  passMinutes(count: number): void {
    this.nowMs += count * MINUTE_MS;
  }

  async look(): Promise<void> {
    await this.alerts.evaluate(NEVER);
    await this.alerts.deliverDue();
  }

  rule(definition: Record<string, unknown>, ownerId: string | null = null): AlertRule {
    const input = {
      name: 'Pump',
      isEnabled: true,
      definition: ruleDefinitionSchema.parse(definition),
    };
    return this.alerts.createRule(input, ownerId);
  }

  /** Phases of the history, oldest first. */
  get history(): readonly string[] {
    return this.state.alertHistory
      .page({ limit: 1000 })
      .entries.map(({ state }) => state)
      .reverse();
  }

  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.state.alertStates.all().map(({ streamId, state }) => [streamId, state]),
    );
  }
}

/** A store whose answers to searches of streams can be held back, as those of a server far away. */
class SlowBackend extends MemoryBackend {
  /** What the next search waits for when it has read its streams. */
  held: Promise<void> | null = null;

  protected override async _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    const found = await super._queryStreams(query);
    const { held } = this;
    this.held = null;
    await held;
    return found;
  }
}

async function fixture(
  settings: Partial<ChannelSettings> = {},
  backend: MemoryBackend = new MemoryBackend(),
): Promise<Fixture> {
  const clock = { now: (): Date => new Date(NOON) };
  await backend.open();
  const datastream = new Datastream(backend, { now: () => clock.now() });
  const made = new Fixture(datastream, await temporaryFolder(), settings);
  clock.now = () => new Date(made.nowMs);
  await made.start();
  closers.push(async () => {
    await made.stop();
    await datastream.close();
  });
  return made;
}

describe('a rule on staleness', () => {
  test('fires once when datapoints stay away, and resolves once when they are back', async () => {
    const hook = await hookServer();
    const made = await fixture();
    const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
    await made.datastream.append(id, 1, NOON);
    made.rule({
      target: { stream: id },
      condition: { kind: 'stale', after: '30m' },
      destinations: [{ kind: 'webhook', url: hook.url }, { kind: 'log' }],
    });
    await made.look();
    made.passMinutes(30);
    await made.look();
    expect(made.states[id]).toBe('ok');
    made.passMinutes(1);
    for (let i = 0; i < 3; i++) await made.look();
    expect(made.states[id]).toBe('firing');
    await made.datastream.append(id, 2, made.nowMs);
    for (let i = 0; i < 3; i++) await made.look();
    expect(made.history).toEqual(['firing', 'resolved']);
    const bodies = hook.received.map(({ body }) => JSON.parse(body));
    expect(bodies).toMatchObject([
      { event: 'firing', at: '2026-03-01T12:30:00.000Z', stream: { id, tags: { pump: 1 } } },
      { event: 'resolved' },
    ]);
    expect(bodies[0].incident).toBe(bodies[1].incident);
    expect(made.lines.map(({ msg }) => msg)).toEqual([
      'Pump, {"pump":1}: no datapoint for 30m: firing.',
      'Pump, {"pump":1}: no datapoint for 30m: resolved.',
    ]);
  });

  test('does not end because the clock was set back, and is told of the next end', async () => {
    const made = await fixture();
    const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
    await made.datastream.append(id, 1, NOON);
    made.rule({ target: { stream: id }, condition: { kind: 'stale', after: '30m' } });
    made.passMinutes(31);
    await made.look();
    made.passMinutes(-20);
    await made.look();
    expect(made.states[id]).toBe('firing');
    await made.datastream.append(id, 2, made.nowMs);
    await made.look();
    made.passMinutes(31);
    await made.look();
    expect(made.history).toEqual(['firing', 'resolved', 'firing']);
  });

  test('counts from the first look where there never was a datapoint', async () => {
    const made = await fixture();
    const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
    made.rule({ target: { stream: id }, condition: { kind: 'stale', after: '10m' } });
    await made.look();
    made.passMinutes(10);
    await made.look();
    expect(made.states[id]).toBe('ok');
    made.passMinutes(1);
    await made.look();
    made.passMinutes(1);
    await made.look();
    expect(made.history).toEqual(['firing']);
  });
});

describe('a rule on values', () => {
  const above = { kind: 'threshold', above: 90, clear: 80 };

  test('looks at each stream of a query on its own, also at those that come later', async () => {
    const made = await fixture();
    const [a, b, hidden] = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        made.datastream.ensureStream({ name, kind: 'cpu', hidden: name === 'c' }, NUMERIC),
      ),
    );
    made.rule({ target: { query: { kind: 'cpu' } }, condition: above });
    await made.datastream.append(a!, 95, NOON);
    await made.datastream.append(b!, 50, NOON);
    await made.datastream.append(hidden!, 99, NOON);
    await made.look();
    expect(made.states).toEqual({ [a!]: 'firing', [b!]: 'ok' });
    const later = await made.datastream.ensureStream({ name: 'd', kind: 'cpu' }, NUMERIC);
    await made.datastream.append(later, 91, NOON);
    await made.datastream.append(a!, 81, NOON + 1000);
    await made.look();
    expect(made.states).toEqual({ [a!]: 'firing', [b!]: 'ok', [later]: 'firing' });
  });

  test('is held against many streams', async () => {
    const made = await fixture();
    const ids = await Promise.all(
      Array.from({ length: 250 }, (_, n) =>
        made.datastream.ensureStream({ n, kind: 'x' }, NUMERIC),
      ),
    );
    made.rule({ target: { query: { kind: 'x' } }, condition: above });
    for (const [n, id] of ids.entries())
      await made.datastream.append(id, n % 2 === 0 ? 95 : 5, NOON);
    for (let i = 0; i < 2; i++) await made.look();
    const states = Object.values(made.states);
    expect(states.filter((state) => state === 'firing')).toHaveLength(125);
    expect(states).toHaveLength(250);
    expect(made.history).toHaveLength(125);
  });

  test('misses nothing between two looks, and begins with what is newest', async () => {
    const hook = await hookServer();
    const made = await fixture();
    const id = await made.datastream.ensureStream({ a: 1 }, NUMERIC);
    await made.datastream.append(id, 99, NOON - 2000);
    await made.datastream.append(id, 1, NOON - 1000);
    made.rule({
      target: { stream: id },
      condition: above,
      destinations: [{ kind: 'webhook', url: hook.url }],
    });
    await made.look();
    expect(made.history).toEqual([]);
    await made.datastream.append(id, 99, NOON);
    await made.datastream.append(id, 1, NOON + 1000);
    await made.look();
    expect(made.history).toEqual(['firing', 'resolved']);
    expect(hook.received.map(({ body }) => JSON.parse(body))).toMatchObject([
      { event: 'firing', value: 99 },
      { event: 'resolved', value: 1 },
    ]);
  });

  test('looks at a level when it is computed, and at derived streams', async () => {
    const made = await fixture();
    const source = await made.datastream.ensureStream({ a: 1 }, NUMERIC);
    const derived = await made.datastream.ensureStream(
      { a: 2 },
      { ...NUMERIC, deriveFrom: source, deriveOp: 'derivative' },
    );
    const onLevel = { level: 'minutes', valueDownsampler: 'max', kind: 'threshold', above: 90 };
    made.rule({ target: { stream: source }, condition: onLevel });
    made.rule({ target: { stream: derived }, condition: { kind: 'threshold', below: -50 } });
    await made.datastream.append(source, 95, NOON);
    await made.datastream.append(source, 94, NOON + 1000);
    await made.look();
    await made.datastream.append(source, 5, NOON + 2000);
    await made.datastream.append(source, 5, NOON + 5 * MINUTE_MS);
    made.passMinutes(5);
    await made.look();
    expect(made.states).toEqual({ [source]: 'ok', [derived]: 'resolved' });
    await made.datastream.downsampleStreams();
    await made.look();
    expect(made.state.alertHistory.page({ limit: 10 }).entries[0]).toMatchObject({
      streamId: source,
      state: 'firing',
      detail: { value: 95 },
    });
  });

  test('goes on where others have stopped, and holds what is pending over a restart', async () => {
    const made = await fixture();
    const id = await made.datastream.ensureStream({ a: 1 }, NUMERIC);
    made.rule({ target: { stream: id }, condition: { ...above, for: '5m' } });
    await made.datastream.append(id, 95, NOON);
    await made.look();
    expect(made.states[id]).toBe('pending');
    await made.stop();
    await made.start();
    made.passMinutes(4);
    await made.look();
    expect(made.states[id]).toBe('pending');
    made.passMinutes(1);
    await made.look();
    expect(made.history).toEqual(['pending', 'firing']);
  });

  test('ends its alerts when it no longer covers a stream', async () => {
    const made = await fixture();
    const [a, b, c] = await Promise.all(
      [1, 2, 3].map((n) => made.datastream.ensureStream({ n, kind: 'x' }, NUMERIC)),
    );
    const rule = made.rule({ target: { query: { kind: 'x' } }, condition: above });
    for (const id of [a!, b!, c!]) await made.datastream.append(id, 95, NOON);
    await made.look();
    expect(made.history).toEqual(['firing', 'firing', 'firing']);
    await made.datastream.deleteStreams({ n: 1 });
    await made.datastream.updateTags(b!, { kind: 'y' });
    await made.look();
    expect(made.states).toEqual({ [c!]: 'firing' });
    expect(made.history.slice(3)).toEqual(['resolved', 'resolved']);
    const definition = ruleDefinitionSchema.parse({
      target: { query: { kind: 'x' } },
      condition: { ...above, above: 99 },
    });
    made.alerts.updateRule(rule.id, { name: 'Pump', isEnabled: true, definition });
    await made.look();
    expect(made.states).toEqual({ [c!]: 'ok' });
    expect(made.history.slice(5)).toEqual(['resolved']);
    made.alerts.removeRule(rule.id);
    expect(made.states).toEqual({});
  });

  test('of somebody who is gone looks at nothing', async () => {
    const made = await fixture();
    const id = await made.datastream.ensureStream({ a: 1 }, NUMERIC);
    await made.datastream.append(id, 95, NOON);
    made.rule({ target: { stream: id }, condition: above }, 'gone');
    await made.look();
    expect(made.states).toEqual({});
  });

  test('that does not fit a stream is no harm to others', async () => {
    const made = await fixture();
    const [bad, good] = await Promise.all(
      [[], ['mean']].map((valueDownsamplers, n) =>
        made.datastream.ensureStream({ n, kind: 'x' }, { ...NUMERIC, valueDownsamplers }),
      ),
    );
    for (const id of [bad!, good!]) await made.datastream.append(id, 95, NOON);
    const condition = { ...above, level: 'minutes', valueDownsampler: 'mean' };
    made.rule({ target: { query: { kind: 'x' } }, condition });
    expect(await made.alerts.evaluate(NEVER)).toEqual({
      ruleCount: 1,
      streamCount: 2,
      problemCount: 1,
    });
    expect(made.states).toEqual({ [good!]: 'ok' });
  });
});

describe('a process that is slow to get the streams, beside another one', () => {
  /** Holds the rules against the streams as they are now, while `meanwhile` happens. */
  async function lookSlowly(
    backend: SlowBackend,
    made: Fixture,
    meanwhile: () => Promise<void>,
  ): Promise<void> {
    let goOn: () => void = () => {};
    backend.held = new Promise((resolve) => {
      goOn = resolve;
    });
    const looking = made.another().evaluate(NEVER);
    while (backend.held !== null) await new Promise((resolve) => setImmediate(resolve));
    await meanwhile();
    goOn();
    await looking;
  }

  test('does not raise an alert again that a later datapoint has ended', async () => {
    const backend = new SlowBackend();
    const made = await fixture({}, backend);
    const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
    await made.datastream.append(id, 1, NOON);
    made.rule({ target: { query: { pump: 1 } }, condition: { kind: 'stale', after: '30m' } });
    made.passMinutes(31);
    await made.look();
    await lookSlowly(backend, made, async () => {
      await made.datastream.append(id, 2, made.nowMs);
      await made.look();
    });
    expect(made.history).toEqual(['firing', 'resolved']);
  });

  test('does not end alerts of streams that came since', async () => {
    const backend = new SlowBackend();
    const made = await fixture({}, backend);
    made.rule({ target: { query: { pump: 1 } }, condition: { kind: 'threshold', above: 90 } });
    await lookSlowly(backend, made, async () => {
      const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
      await made.datastream.append(id, 95, NOON);
      await made.look();
    });
    await made.look();
    expect(made.history).toEqual(['firing']);
  });

  test('does not end alerts of streams that came back since', async () => {
    const backend = new SlowBackend();
    const made = await fixture({}, backend);
    const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
    await made.datastream.append(id, 80, NOON);
    made.rule({ target: { query: { pump: 1 } }, condition: { kind: 'threshold', above: 90 } });
    await made.look();
    await made.datastream.updateTags(id, { pump: 2 });
    await lookSlowly(backend, made, async () => {
      await made.datastream.updateTags(id, { pump: 1 });
      await made.datastream.append(id, 95, NOON + 1000);
      await made.look();
    });
    expect(made.states).toEqual({ [id]: 'firing' });
    expect(made.history).toEqual(['firing']);
  });

  test('does not end what a rule has raised since it was changed', async () => {
    const backend = new SlowBackend();
    const made = await fixture({}, backend);
    const id = await made.datastream.ensureStream({ pump: 1 }, NUMERIC);
    await made.datastream.append(id, 95, NOON);
    const condition = { kind: 'threshold', above: 90 };
    for (let i = 0; i < 2; i++) made.rule({ target: { query: { pump: 2 } }, condition });
    // In the order in which they are held against the streams.
    const [, second] = made.state.alertRules.all();
    await lookSlowly(backend, made, async () => {
      const definition = ruleDefinitionSchema.parse({ target: { query: { pump: 1 } }, condition });
      made.alerts.updateRule(second!.id, { name: 'Pump', isEnabled: true, definition });
      await made.look();
    });
    await made.look();
    expect(made.history).toEqual(['firing']);
  });
});

describe('deliveries', () => {
  async function firing(
    destinations: readonly unknown[],
    settings: Partial<ChannelSettings> = {},
  ): Promise<{ made: Fixture; id: string; rule: AlertRule }> {
    const made = await fixture(settings);
    const id = await made.datastream.ensureStream({ a: 1 }, NUMERIC);
    const condition = { kind: 'threshold', above: 90 };
    const rule = made.rule({ target: { stream: id }, condition, destinations });
    await made.datastream.append(id, 95, NOON);
    return { made, id, rule };
  }

  test('of webhooks are signed, and name what a repeat is known by', async () => {
    const hook = await hookServer();
    const { made, id } = await firing([{ kind: 'webhook', url: `${hook.url}/in` }]);
    await made.look();
    const [{ headers, body }] = hook.received as [(typeof hook.received)[number]];
    const signature = String(headers['x-datastream-signature']);
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature)!;
    expect(Number(t)).toBe(NOON / 1000);
    expect(v1).toBe(createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex'));
    const message = JSON.parse(body);
    expect(message).toMatchObject({ id: headers['idempotency-key'], stream: { id }, value: 95 });
  });

  test('are tried again, ever later, and given up at last', async () => {
    const hook = await hookServer();
    hook.answer = () => 500;
    const { made, rule } = await firing([{ kind: 'webhook', url: hook.url }]);
    await made.look();
    expect(hook.received).toHaveLength(1);
    const waits = [];
    for (let tries = 1; tries < 3; tries++) {
      const [waiting] = made.alerts.outbox.ofRule(rule.id);
      expect(waiting).toMatchObject({ outcome: 'waiting', tryCount: tries });
      waits.push(waiting!.nextTryMs - made.nowMs);
      await made.look();
      expect(hook.received).toHaveLength(tries);
      made.nowMs = waiting!.nextTryMs;
      await made.look();
      expect(hook.received).toHaveLength(tries + 1);
    }
    expect(waits).toEqual([3750, 7500]);
    expect(made.alerts.outbox.ofRule(rule.id)).toMatchObject([
      { outcome: 'failed', tryCount: 3, lastError: 'The webhook answered with status 500.' },
    ]);
    made.passMinutes(600);
    await made.look();
    expect(hook.received).toHaveLength(3);
    expect(new Set(hook.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  test('do not wait for a clock that was set back', async () => {
    const hook = await hookServer();
    hook.answer = () => 500;
    const { made } = await firing([{ kind: 'webhook', url: hook.url }]);
    await made.look();
    made.passMinutes(-24 * 60);
    await made.look();
    expect(hook.received).toHaveLength(2);
    await made.look();
    expect(hook.received).toHaveLength(2);
  });

  test('follow no redirect, and give up on who does not answer', async () => {
    const hook = await hookServer();
    hook.answer = (count) => (count === 1 ? 302 : new Promise(() => {}));
    const { made, rule } = await firing([{ kind: 'webhook', url: hook.url }], { timeoutMs: 100 });
    await made.look();
    expect(made.alerts.outbox.ofRule(rule.id)[0]).toMatchObject({
      lastError: 'The webhook answered with status 302.',
    });
    made.passMinutes(1);
    await made.look();
    expect(hook.received).toHaveLength(2);
    expect(made.alerts.outbox.ofRule(rule.id)[0]).toMatchObject({
      tryCount: 2,
      lastError: expect.stringContaining('timeout'),
    });
  });

  test('of one stream arrive in order, also where the first one is late', async () => {
    const hook = await hookServer();
    hook.answer = (count) => (count === 1 ? 503 : 200);
    const { made, id } = await firing([{ kind: 'webhook', url: hook.url }]);
    await made.look();
    await made.datastream.append(id, 1, NOON + 1000);
    await made.look();
    expect(hook.received).toHaveLength(1);
    made.passMinutes(1);
    await made.look();
    const events = hook.received.map(({ body }) => JSON.parse(body).event);
    expect(events).toEqual(['firing', 'firing', 'resolved']);
  });

  test('happen once, whoever looks: again after a restart, and by several processes', async () => {
    const hook = await hookServer();
    const { made, id } = await firing([{ kind: 'webhook', url: hook.url }]);
    const others = [made.another(), made.another()];
    await Promise.all([made.alerts, ...others].map((alerts) => alerts.evaluate(NEVER)));
    // Killed here: it is on disk what is to be told.
    await made.stop();
    await made.start();
    const again = [made.alerts, made.another(), made.another()];
    await Promise.all(again.map((alerts) => alerts.deliverDue()));
    await made.look();
    await made.stop();
    await made.start();
    await made.look();
    expect(made.history).toEqual(['firing']);
    expect(hook.received).toHaveLength(1);
    expect(made.states[id]).toBe('firing');
  });

  test('that a process took and did not finish are done by another, as the same', async () => {
    const hook = await hookServer();
    const { made } = await firing([{ kind: 'webhook', url: hook.url }]);
    await made.alerts.evaluate(NEVER);
    const taken = made.alerts.outbox.claim({
      nowMs: made.nowMs,
      untilMs: made.nowMs + 60_000,
      countMax: 10,
      waitMaxMs: 3_600_000,
    });
    expect(taken).toHaveLength(1);
    await made.stop();
    await made.start();
    await made.look();
    expect(hook.received).toHaveLength(0);
    made.passMinutes(1);
    await made.look();
    expect(hook.received.map(({ headers }) => headers['idempotency-key'])).toEqual([taken[0]!.id]);
  });

  test('that are under way when the service ends wait for its return', async () => {
    const hook = await hookServer();
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    hook.answer = (count) => {
      arrived();
      return count === 1 ? new Promise(() => {}) : 200;
    };
    const { made, rule } = await firing([{ kind: 'webhook', url: hook.url }], {
      timeoutMs: 60_000,
    });
    const looking = made.look();
    await arrival;
    await made.alerts.stop();
    await looking;
    expect(made.alerts.outbox.ofRule(rule.id)).toMatchObject([{ outcome: 'waiting', tryCount: 0 }]);
    await made.stop();
    await made.start();
    await made.look();
    expect(hook.received).toHaveLength(2);
  });

  test('of e-mail reach a mail server, once more where it says later', async () => {
    const server = await mailServer();
    server.refusedCount = 1;
    const email = { url: server.url, from: 'alerts@example.org' };
    const to = ['anna@example.org', 'bert@example.org'];
    const { made, id } = await firing([{ kind: 'email', to }], { email });
    await made.look();
    expect(server.mails).toEqual([]);
    made.passMinutes(1);
    await made.look();
    expect(server.mails).toMatchObject([{ from: 'alerts@example.org', to }]);
    const [{ data }] = server.mails as [(typeof server.mails)[number]];
    expect(data).toContain('Subject: [firing] Pump');
    expect(data).toMatch(/Message-ID:\s+<[0-9a-f-]+-firing-[0-9a-f]{16}@datastream-engine>/);
    expect(data).toContain(`Stream: ${id}`);
  });

  test('wait behind a silence for what still fires then, and leave out what is over', async () => {
    const hook = await hookServer();
    const { made, id, rule } = await firing([{ kind: 'webhook', url: hook.url }]);
    const silence = { ruleId: rule.id, streamId: null, by: 'anna', reason: 'works' };
    made.alerts.silences.put({ ...silence, untilMs: NOON + 10 * MINUTE_MS });
    await made.look();
    await made.datastream.append(id, 1, NOON + 1000);
    await made.look();
    await made.datastream.append(id, 99, NOON + 2000);
    await made.look();
    expect(made.history).toEqual(['firing', 'resolved', 'firing']);
    expect(hook.received).toEqual([]);
    made.passMinutes(10);
    for (let i = 0; i < 2; i++) await made.look();
    expect(hook.received.map(({ body }) => JSON.parse(body))).toMatchObject([
      { event: 'firing', value: 99 },
    ]);
  });

  test('can be tried out', async () => {
    const hook = await hookServer();
    const { made, rule } = await firing([
      { kind: 'webhook', url: hook.url },
      { kind: 'email', to: ['anna@example.org'] },
    ]);
    const tested = await made.alerts.test(rule.id);
    expect(tested.map(({ error }) => error)).toEqual([
      null,
      'There is no e-mail: alerts.email is not set.',
    ]);
    expect(JSON.parse(hook.received[0]!.body)).toMatchObject({ event: 'test', stream: null });
    expect(made.history).toEqual([]);
  });

  test('are forgotten a week after they ended', async () => {
    const { made, rule } = await firing([{ kind: 'log' }]);
    await made.look();
    made.passMinutes(7 * 24 * 60);
    made.alerts.removeEnded();
    expect(made.alerts.outbox.ofRule(rule.id)).toHaveLength(1);
    made.passMinutes(1);
    made.alerts.removeEnded();
    expect(made.alerts.outbox.ofRule(rule.id)).toEqual([]);
  });
});
