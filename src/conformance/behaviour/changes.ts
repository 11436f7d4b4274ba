import assert from 'node:assert/strict';
import type { ChangesOptions, StreamEvent } from '../../api/change-feed.ts';
import type { Datastream } from '../../api/datastream.ts';
import { Granularity } from '../../model/granularity.ts';
import { assertCode, assertMisuse, at, type Fixture, type Suite, secondsOf } from '../fixture.ts';

type Event<Kind extends StreamEvent['kind']> = Extract<StreamEvent, { readonly kind: Kind }>;

const PATIENCE_MS = 30_000;

/** A feed of which the events are taken one by one. */
class Feed {
  readonly #events: AsyncGenerator<StreamEvent, void, undefined>;
  readonly #abort = new AbortController();

  constructor(datastream: Datastream, options: ChangesOptions = {}) {
    this.#events = datastream.changes({ ...options, signal: this.#abort.signal });
  }

  static async begun(datastream: Datastream, options: ChangesOptions = {}): Promise<Feed> {
    const feed = new Feed(datastream, options);
    await feed.next('ready');
    return feed;
  }

  /** The next event, which must be of the kind. */
  async next<Kind extends StreamEvent['kind']>(kind: Kind): Promise<Event<Kind>> {
    const event = await this.#take();
    assert.equal(event.kind, kind);
    return event as Event<Kind>;
  }

  /** The next event of the kind; others may come before. */
  async until<Kind extends StreamEvent['kind']>(kind: Kind): Promise<Event<Kind>> {
    for (;;) {
      const event = await this.#take();
      if (event.kind === kind) return event as Event<Kind>;
    }
  }

  /** An event that does not come must not hold up the suite for ever. */
  async #take(): Promise<StreamEvent> {
    const timer = setTimeout(() => this.#abort.abort(), PATIENCE_MS);
    const { value } = await this.#events.next();
    clearTimeout(timer);
    assert(value !== undefined, `an event comes within ${PATIENCE_MS} ms`);
    return value;
  }

  /** All new datapoints, in seconds, until there are so many. */
  async appended(count: number): Promise<(readonly [number, unknown])[]> {
    const rows: (readonly [number, unknown])[] = [];
    while (rows.length < count) rows.push(...rowsOf(await this.until('appended')));
    return rows;
  }

  async end(): Promise<void> {
    this.#abort.abort();
    while (!(await this.#events.next()).done);
  }
}

function rowsOf({ timestamps, values }: Event<'appended'>): (readonly [number, unknown])[] {
  return Array.from(timestamps, (t, row) => [secondsOf(new Date(t)), values[row]] as const);
}

/** An engine that has nothing to do with the fixture's, but for the store. */
async function anotherEngine(fixture: Fixture): Promise<Datastream> {
  return fixture.open((await fixture.store.another?.()) ?? fixture.backend);
}

export function changesTopic({ test }: Suite): void {
  test('a feed begins at the datapoints that are there, and goes on with those that come', async (fixture) => {
    const { datastream } = fixture;
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    await fixture.appendNumbers(a, [1, 2]);
    const feed = new Feed(datastream, { streamIds: [a, b] });
    const { streams } = await feed.next('ready');
    assert.deepEqual(
      streams.map(({ streamId, tags, position }) => [streamId, tags['name'], position]),
      [
        [a, 'a', { latest: at(1), count: 1, edits: 0 }],
        [b, 'b', { latest: null, count: 0, edits: 0 }],
      ],
    );
    await datastream.append(b, 5, at(0));
    const first = await feed.next('appended');
    assert.equal(first.streamId, b);
    assert.deepEqual(rowsOf(first), [[0, 5]]);
    assert.deepEqual(first.position, { latest: at(0), count: 1, edits: 0 });
    await fixture.appendNumbers(a, [3, 4], 2);
    assert.deepEqual(await feed.appended(2), [
      [2, 3],
      [3, 4],
    ]);
    await feed.end();
  });

  test('datapoints that another engine has appended come, too, and each of them once', async (fixture) => {
    const other = await anotherEngine(fixture);
    const id = await fixture.ensure('a');
    const feed = await Feed.begun(fixture.datastream, { streamIds: [id] });
    for (let second = 0; second < 20; second++) {
      await (second % 3 === 0 ? fixture.datastream : other).append(id, second, at(second));
    }
    const rows = await feed.appended(20);
    assert.deepEqual(
      rows,
      Array.from({ length: 20 }, (_, second) => [second, second]),
    );
    await feed.end();
  });

  test('of equal timestamps each one is given once, or the value that stays', async (fixture) => {
    const { datastream, backend } = fixture;
    const id = await fixture.ensure('a');
    await datastream.append(id, 1, at(0));
    const feed = await Feed.begun(datastream, { streamIds: [id] });
    await datastream.append(id, 2, at(0));
    if (backend.supports.equalTimestamps) {
      const event = await feed.next('appended');
      assert.deepEqual(rowsOf(event), [[0, 2]]);
      assert.deepEqual(event.position, { latest: at(0), count: 2, edits: 0 });
    } else {
      const event = await feed.next('changed');
      assert.deepEqual(event.from, at(0));
      assert.deepEqual(event.position, { latest: at(0), count: 1, edits: 1 });
    }
    await feed.end();
  });

  test('late and corrected datapoints are changes from their time on', async (fixture) => {
    const { datastream } = fixture;
    const other = await anotherEngine(fixture);
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, [1, 2, 3, 4, 5, 6]);
    const feed = await Feed.begun(datastream, { streamIds: [id] });
    const works: readonly (readonly [() => Promise<unknown>, number])[] = [
      [() => other.append(id, 9, at(3), { checkTimestamp: false }), 3],
      [() => datastream.upsert(id, 9, at(4)), 4],
      [() => other.deleteData(id, { start: at(1), end: at(2) }), 1],
    ];
    for (const [index, [work, second]] of works.entries()) {
      await work();
      const event = await feed.next('changed');
      assert.deepEqual(event.from, at(second));
      assert.equal(event.reason, 'data');
      assert.deepEqual(event.position, { latest: at(5), count: 1, edits: index + 1 });
    }
    await feed.end();
  });

  test('after the last datapoints were deleted, older ones are new again', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, [1, 2, 3, 4, 5, 6]);
    const feed = await Feed.begun(datastream, { streamIds: [id] });
    await datastream.deleteData(id, { start: at(4) });
    await datastream.append(id, 7, at(3));
    const { from } = await feed.next('changed');
    assert(from !== null && from <= at(3));
    await feed.end();
  });

  test('derived streams follow', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    const feed = await Feed.begun(datastream, { streamIds: [rate] });
    await fixture.appendNumbers(source, [1, 3, 6]);
    assert.deepEqual(await feed.appended(2), [
      [1, 2],
      [2, 3],
    ]);
    await datastream.upsert(source, 4, at(1));
    await fixture.settle();
    const { from } = await feed.until('changed');
    assert(from !== null && from <= at(1));
    await feed.end();
  });

  test('levels tell how far they are, and what of them was computed anew', async (fixture) => {
    if (fixture.byLevels({ stored: false, computed: true })) return;
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, new Array(100).fill(1));
    const feed = await Feed.begun(datastream, { streamIds: [id] });
    await datastream.downsampleStreams();
    const first = await feed.next('levels');
    const { downsampledUntil } = await datastream.getStream(id);
    assert.deepEqual(first.levels['10seconds'], {
      from: null,
      until: downsampledUntil['10seconds'],
    });
    await datastream.append(id, 5, at(35), { checkTimestamp: false });
    await feed.until('changed');
    await datastream.downsampleStreams();
    const second = await feed.until('levels');
    assert.deepEqual(second.levels['10seconds'], {
      from: at(30),
      until: downsampledUntil['10seconds'],
    });
    await feed.end();
  });

  test('streams with the tags come and go', async (fixture) => {
    const { datastream } = fixture;
    const other = await anotherEngine(fixture);
    const room = { tags: { room: 'cellar' } };
    await fixture.ensure('a', room);
    const outside = await fixture.ensure('outside');
    const feed = await Feed.begun(datastream, { queryTags: { room: 'cellar' } });
    const b = await fixture.ensure('b', room);
    assert.equal((await feed.next('created')).streamId, b);
    await other.append(b, 1, at(0));
    assert.deepEqual(await feed.appended(1), [[0, 1]]);
    await other.append(outside, 1, at(0));
    await other.updateTags(outside, { room: 'cellar' });
    const joined = await feed.next('created');
    assert.equal(joined.streamId, outside);
    assert.deepEqual(joined.tags, { name: 'outside', room: 'cellar' });
    assert.deepEqual(joined.position.latest, at(0));
    await datastream.updateTags(b, { floor: 2 });
    assert.deepEqual((await feed.next('tags')).tags, { name: 'b', room: 'cellar', floor: 2 });
    await datastream.removeTag(b, 'room');
    assert.equal((await feed.next('left')).streamId, b);
    await other.deleteStreams({ name: 'outside' });
    assert.equal((await feed.next('deleted')).streamId, outside);
    await feed.end();
  });

  test('a stream that computes something else is to be read anew', async (fixture) => {
    const id = await fixture.ensure('a', { valueDownsamplers: ['mean'] });
    const feed = await Feed.begun(fixture.datastream, { streamIds: [id] });
    await fixture.datastream.updateStream(id, { valueDownsamplers: { add: ['max'] } });
    const event = await feed.next('changed');
    assert.equal(event.reason, 'definition');
    assert.equal(event.from, null);
    await feed.end();
  });

  test('more than is given at once is to be read', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, [1]);
    const feed = await Feed.begun(datastream, { streamIds: [id], appendedCountMax: 10 });
    await fixture.appendNumbers(id, new Array(50).fill(2), 1);
    const event = await feed.next('changed');
    assert.equal(event.reason, 'overflow');
    assert.deepEqual(event.from, at(0));
    assert.deepEqual(event.position, { latest: at(50), count: 1, edits: 0 });
    await fixture.appendNumbers(id, [3], 51);
    assert.deepEqual(await feed.appended(1), [[51, 3]]);
    await feed.end();
  });

  test('a feed goes on where an earlier one ended', async (fixture) => {
    const { datastream } = fixture;
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const c = await fixture.ensure('c');
    for (const id of [a, b, c]) await fixture.appendNumbers(id, [1, 2]);
    const position = { latest: at(1), count: 1, edits: 0 };
    const after = { [a]: position, [b]: position, [c]: position };
    await fixture.appendNumbers(a, [3], 2);
    await datastream.deleteData(b, { start: at(0), end: at(0) });
    await datastream.deleteStreams({ name: 'c' });
    const feed = new Feed(fixture.open(fixture.backend), { streamIds: [a, b, c], after });
    const { streams } = await feed.next('ready');
    assert.deepEqual(
      streams.map((stream) => [stream.streamId, stream.position]),
      [
        [a, position],
        [b, position],
      ],
    );
    assert.equal((await feed.next('deleted')).streamId, c);
    assert.deepEqual(await feed.appended(1), [[2, 3]]);
    assert.deepEqual((await feed.next('changed')).from, at(0));
    await feed.end();
  });

  test('values come as getData gives them', async (fixture) => {
    const { datastream, backend } = fixture;
    const nominal = await fixture.ensure('nominal', {
      valueType: 'nominal',
      highestGranularity: Granularity.Minutes,
    });
    const feed = await Feed.begun(datastream);
    await datastream.append(nominal, { state: 'on' }, at(0));
    assert.deepEqual(await feed.appended(1), [[0, { state: 'on' }]]);
    if (backend.supports.highAccuracy) {
      const exact = await fixture.ensure('exact', { valueTypeOptions: { highAccuracy: true } });
      await feed.next('created');
      await datastream.append(exact, 2n ** 70n, at(0));
      assert.deepEqual(await feed.appended(1), [[0, 2n ** 70n]]);
    }
    await feed.end();
  });

  test('what a feed cannot be asked for is refused', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await assertMisuse(() => datastream.changes({ streamIds: [id], queryTags: {} }));
    await assertMisuse(() => datastream.changes({ streamIds: id as never }));
    await assertMisuse(() => datastream.changes({ appendedCountMax: 0 }));
    await assertMisuse(() => datastream.changes({ after: [] as never }));
    await assertMisuse(() => datastream.changes({ since: 1 } as never));
    const position = { latest: at(0), count: -1, edits: 0 };
    await assertMisuse(() => datastream.changes({ after: { [id]: position } }));
    const unknown = '00000000-0000-4000-8000-000000000000';
    await assertCode(() => datastream.changes({ streamIds: [unknown] }).next(), 'STREAM_NOT_FOUND');
  });
}
