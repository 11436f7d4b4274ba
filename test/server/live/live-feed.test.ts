import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import type { LiveMessage } from '../../../src/server/live/live-event.ts';
import { LiveFeed, type LiveFeedOptions } from '../../../src/server/live/live-feed.ts';
import { sseTexts } from '../../../src/server/live/sse.ts';
import type { LiveRequest, Subscription } from '../../../src/server/live/subscription.ts';

const NOW_MS = Date.UTC(2024, 0, 1);
const DEFINITION = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;
const canView = (): boolean => true;

let backend: MemoryBackend;
let datastream: Datastream;
let feed: LiveFeed;
let nowMs: number;
/** What the engine is asked to follow, each time. */
let followed: unknown[];
/** What the next try to follow fails with, or the one under way at its next event. */
let failure: Error | null;

function newFeed(options: Partial<LiveFeedOptions> = {}): LiveFeed {
  const changes: Datastream['changes'] = async function* (asked) {
    followed.push(asked);
    for await (const event of datastream.changes(asked)) {
      if (failure !== null) {
        const error = failure;
        failure = null;
        throw error;
      }
      yield event;
    }
  };
  return new LiveFeed({ changes }, { nowMs: () => nowMs, ...options });
}

beforeEach(async () => {
  backend = new MemoryBackend();
  await backend.open();
  datastream = new Datastream(backend, { now: () => new Date(NOW_MS) });
  nowMs = NOW_MS;
  followed = [];
  failure = null;
  feed = newFeed();
});

afterEach(async () => {
  await feed.close();
  await datastream.close();
});

function ensure(name: string, tags = {}): Promise<string> {
  return datastream.ensureStream({ name }, { ...DEFINITION, tags });
}

function subscribe(request: Partial<LiveRequest> = {}): Promise<Subscription> {
  return feed.subscribe({ canView, ...request });
}

const waiting = new WeakMap<Subscription, LiveMessage[]>();

/** The next message, with what is in it. */
async function next(
  subscription: Subscription,
): Promise<LiveMessage & { readonly event: Record<string, unknown> }> {
  const messages = waiting.get(subscription) ?? [];
  if (messages.length === 0) messages.push(...((await subscription.next()) ?? []));
  waiting.set(subscription, messages);
  const message = messages.shift()!;
  return { ...message, event: JSON.parse(message.json) as Record<string, unknown> };
}

/** Appends a value, and gives what the reader is told. */
async function appended(
  subscription: Subscription,
  streamId: string,
  value: number,
): Promise<LiveMessage> {
  await datastream.append(streamId, value, NOW_MS + value * 1000);
  const message = await next(subscription);
  expect(message.event).toMatchObject({ kind: 'appended', streamId, values: [value] });
  return message;
}

/** Waits until the feed has taken in something after that. */
async function sequenceAbove(subscription: Subscription, sequence: number): Promise<void> {
  while (subscription.sequence <= sequence) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('a subscription', () => {
  test('begins with the streams and their positions', async () => {
    const a = await ensure('a');
    await datastream.append(a, 1, NOW_MS);
    const subscription = await subscribe({ streamIds: [a] });
    const { kind, event, sequence } = await next(subscription);
    expect(kind).toBe('ready');
    expect(event).toEqual({
      kind: 'ready',
      streams: [
        {
          streamId: a,
          tags: { name: 'a' },
          position: { latest: '2024-01-01T00:00:00Z', count: 1, edits: 0 },
        },
      ],
    });
    expect(sequence).toBe(NOW_MS * 1000);
    const message = await appended(subscription, a, 2);
    expect(message.sequence).toBe(sequence + 1);
  });

  test('gives the streams that were asked for, and no others', async () => {
    const [a, b, c] = [
      await ensure('a'),
      await ensure('b', { room: 1 }),
      await ensure('c', { room: 2 }),
    ];
    const requests: readonly (readonly [Partial<LiveRequest>, readonly string[]])[] = [
      [{ streamIds: [a] }, [a]],
      [{ streamIds: [] }, []],
      [{ isWanted: ({ room }) => room === 1 }, [b]],
      [{ streamIds: [a], isWanted: ({ room }) => room === 1 }, [a, b]],
      [{}, [a, b, c]],
    ];
    const subscriptions = await Promise.all(
      requests.map(([request]) => subscribe({ ...request, withStreams: false })),
    );
    for (const subscription of subscriptions) {
      const { event, sequence } = await next(subscription);
      expect(event).toEqual({ kind: 'ready', streams: [] });
      expect(sequence).toBe(NOW_MS * 1000);
    }
    for (const id of [a, b, c]) await datastream.append(id, 1, NOW_MS);
    for (const [index, subscription] of subscriptions.entries()) {
      await sequenceAbove(subscription, NOW_MS * 1000 + 2);
      const messages = (await subscription.next(0))!;
      const told = messages.map(({ json }) => (JSON.parse(json) as { streamId: string }).streamId);
      expect(told).toEqual(requests[index]![1]);
    }
  });

  test('gives nothing of streams that may not be seen', async () => {
    const [a, b] = [await ensure('a'), await ensure('b', { isSecret: true })];
    const subscription = await subscribe({ canView: ({ tags }) => tags['isSecret'] !== true });
    expect((await next(subscription)).event['streams']).toMatchObject([{ streamId: a }]);
    await datastream.append(b, 1, NOW_MS);
    await appended(subscription, a, 1);
    await datastream.updateTags(b, { note: 1 });
    await datastream.deleteStreams({ name: 'b' });
    await appended(subscription, a, 2);
  });

  test('tells of streams that begin and cease to be seen by their tags', async () => {
    const a = await ensure('a', { room: 1 });
    await datastream.append(a, 1, NOW_MS);
    const subscription = await subscribe({ isWanted: ({ room }) => room === 2 });
    await next(subscription);
    await datastream.updateTags(a, { room: 2 });
    expect((await next(subscription)).event).toMatchObject({
      kind: 'created',
      streamId: a,
      tags: { name: 'a', room: 2 },
      position: { count: 1 },
    });
    await datastream.updateTags(a, { floor: 1 });
    expect((await next(subscription)).event).toMatchObject({ kind: 'tags', tags: { floor: 1 } });
    await datastream.updateTags(a, { room: 1 });
    const { event, sequence } = await next(subscription);
    expect(event).toEqual({ kind: 'left', streamId: a });
    await datastream.append(a, 2, NOW_MS + 2000);
    await sequenceAbove(subscription, sequence);
    await datastream.updateTags(a, { room: 2 });
    expect((await next(subscription)).kind).toBe('created');
    await appended(subscription, a, 3);
    await datastream.deleteStreams({ name: 'a' });
    expect((await next(subscription)).event).toEqual({ kind: 'deleted', streamId: a });
  });

  test('finds out after a while what else may be seen', async () => {
    const a = await ensure('a');
    let isAllowed = true;
    const subscription = await subscribe({ canView: () => isAllowed });
    await next(subscription);
    isAllowed = false;
    await appended(subscription, a, 1);
    nowMs += 5001;
    await datastream.append(a, 2, NOW_MS + 2000);
    expect((await next(subscription)).event).toEqual({ kind: 'left', streamId: a });
    isAllowed = true;
    nowMs += 5001;
    await datastream.append(a, 3, NOW_MS + 3000);
    expect((await next(subscription)).event).toMatchObject({
      kind: 'created',
      position: { latest: '2024-01-01T00:00:03Z' },
    });
    await appended(subscription, a, 4);
  });

  test('finds that out, too, when the clock was set back', async () => {
    const a = await ensure('a');
    let isAllowed = true;
    const subscription = await subscribe({ canView: () => isAllowed });
    await next(subscription);
    await appended(subscription, a, 1);
    isAllowed = false;
    nowMs -= 86_400_000;
    await datastream.append(a, 2, NOW_MS + 2000);
    expect((await next(subscription)).event).toEqual({ kind: 'left', streamId: a });
  });

  test('ends with its signal, and with the feed', async () => {
    const abort = new AbortController();
    const subscription = await subscribe({ signal: abort.signal });
    const other = await subscribe();
    expect(feed.counts.readers).toBe(2);
    await next(subscription);
    const last = subscription.next();
    abort.abort();
    expect(await last).toBeNull();
    expect(feed.counts.readers).toBe(1);
    await next(other);
    const end = other.next();
    await feed.close();
    expect(await end).toBeNull();
    await expect(subscribe()).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
  });

  test('makes each event into text once for all readers', async () => {
    const a = await ensure('a');
    const readers = await Promise.all(Array.from({ length: 50 }, () => subscribe()));
    for (const reader of readers) await reader.next();
    await datastream.append(a, 1, NOW_MS);
    const messages = await Promise.all(readers.map(async (reader) => (await reader.next())![0]));
    expect(new Set(messages).size).toBe(1);
    expect(followed.length).toBe(1);
  });
});

describe('a reader who comes back', () => {
  test('goes on behind the last event that he knows', async () => {
    const a = await ensure('a');
    const first = await subscribe();
    await next(first);
    const { sequence } = await appended(first, a, 1);
    await appended(first, a, 2);
    first.end();
    await datastream.append(a, 3, NOW_MS + 3000);
    const second = await subscribe({ after: sequence });
    expect((await next(second)).event).toMatchObject({ kind: 'appended', values: [2] });
    expect((await next(second)).event).toMatchObject({ kind: 'appended', values: [3] });
    await appended(second, a, 4);
  });

  test('is told to begin anew when that is no longer known', async () => {
    feed = newFeed({ rememberedCountMax: 2 });
    const a = await ensure('a');
    const first = await subscribe();
    const { sequence } = await next(first);
    for (const value of [1, 2, 3]) await appended(first, a, value);
    const known = await subscribe({ after: sequence + 1 });
    expect((await next(known)).event).toMatchObject({ kind: 'appended', values: [2] });
    for (const after of [sequence, 5, sequence + 4]) {
      const { event } = await next(await subscribe({ after }));
      expect(event).toMatchObject({
        kind: 'reset',
        streams: [{ streamId: a, position: { latest: '2024-01-01T00:00:03Z' } }],
      });
    }
  });

  test('is told to begin anew after a restart, at a later sequence', async () => {
    const a = await ensure('a');
    const { sequence } = await next(await subscribe());
    await feed.close();
    nowMs += 1;
    feed = newFeed();
    const message = await next(await subscribe({ after: sequence, streamIds: [a] }));
    expect(message.kind).toBe('reset');
    expect(message.sequence).toBeGreaterThan(sequence);
  });

  test('finds the store still being followed for a while', async () => {
    feed = newFeed({ lingerMs: 20 });
    const first = await subscribe();
    await next(first);
    first.end();
    (await subscribe()).end();
    expect(followed.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const again = await next(await subscribe());
    expect(again.kind).toBe('ready');
    expect(followed.length).toBe(2);
  });
});

describe('a slow reader', () => {
  test('is told to begin anew when too many events wait for him, and goes on from there', async () => {
    feed = newFeed({ waitingCountMax: 2 });
    const a = await ensure('a');
    const slow = await subscribe();
    const quick = await subscribe();
    await next(slow);
    await next(quick);
    for (const value of [1, 2, 3, 4]) await appended(quick, a, value);
    const { event, sequence } = await next(slow);
    expect(event).toMatchObject({
      kind: 'reset',
      streams: [{ streamId: a, position: { latest: '2024-01-01T00:00:04Z' } }],
    });
    await datastream.append(a, 5, NOW_MS + 5000);
    const message = await next(slow);
    expect(message.event).toMatchObject({ kind: 'appended', values: [5] });
    expect(message.sequence).toBe(sequence + 1);
  });

  test('is bounded in bytes, too', async () => {
    feed = newFeed({ waitingSizeMaxBytes: 300 });
    const a = await ensure('a');
    const slow = await subscribe();
    const quick = await subscribe();
    await next(slow);
    await next(quick);
    for (const value of [1, 2, 3]) await appended(quick, a, value);
    expect((await next(slow)).kind).toBe('reset');
  });
});

describe('a store that fails', () => {
  test('at the start is told to whoever subscribes, and tried again for the next one', async () => {
    failure = new Error('away');
    await expect(subscribe()).rejects.toThrow('away');
    expect((await next(await subscribe())).kind).toBe('ready');
  });

  test('later on leaves nothing out', async () => {
    const errors: unknown[] = [];
    feed = newFeed({ onError: (error) => errors.push(error) });
    const [a, b] = [await ensure('a'), await ensure('b')];
    const subscription = await subscribe();
    await next(subscription);
    await appended(subscription, a, 1);
    failure = new Error('away');
    await datastream.append(a, 2, NOW_MS + 2000);
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await datastream.append(a, 3, NOW_MS + 3000);
    await datastream.updateTags(b, { note: 1 });
    const c = await ensure('c');
    const events: Record<string, unknown>[] = [];
    while (events.length < 3) events.push((await next(subscription)).event);
    expect(errors).toMatchObject([{ message: 'away' }]);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'created', streamId: c }));
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'tags', streamId: b, tags: { name: 'b', note: 1 } }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'appended', streamId: a, values: [2, 3] }),
    );
  });
});

describe('server-sent events', () => {
  test('are frames with the sequence, and signs of life that move it on', async () => {
    const [a, b] = [await ensure('a'), await ensure('b')];
    const subscription = await subscribe({ streamIds: [a], withStreams: false });
    const texts = sseTexts(subscription, { heartbeatMs: 10 });
    const text = async (): Promise<string> => (await texts.next()).value as string;
    const first = NOW_MS * 1000;
    expect(await text()).toBe('retry: 1000\n\n');
    expect(await text()).toBe(
      `id: ${first}\nevent: ready\ndata: {"kind":"ready","streams":[]}\n\n`,
    );
    await datastream.append(b, 1, NOW_MS);
    await sequenceAbove(subscription, first);
    expect(await text()).toBe(`:\nid: ${first + 1}\n\n`);
    await datastream.append(a, -0, NOW_MS);
    let frame = await text();
    while (frame.startsWith(':')) frame = await text();
    expect(frame).toBe(
      `id: ${first + 2}\nevent: appended\ndata: {"kind":"appended","streamId":"${a}","position":` +
        `{"latest":"2024-01-01T00:00:00Z","count":1,"edits":0},"timestamps":[${NOW_MS}],"values":[-0]}\n\n`,
    );
    await texts.return();
    expect(feed.counts.readers).toBe(0);
  });
});
