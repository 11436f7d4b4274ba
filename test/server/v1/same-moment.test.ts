import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Tags } from '../../../src/model/tags.ts';
import { addPerson, type Person, WITH_USERS } from '../compat/people.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

const ROUND_COUNT = 20;

let folder: string;
let services: readonly [TestService, TestService];
let people: readonly [Person, Person];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'datastream-same-moment-'));
  const settings = { ...WITH_USERS, store: `embedded:${folder}` };
  const first = await openTestService(settings);
  services = [first, await openTestService(settings)];
  const grants = ['create'] as const;
  people = [
    await addPerson(first.service, 'anna', { grants }),
    await addPerson(first.service, 'bert', { grants }),
  ];
});
afterEach(async () => {
  for (const opened of services) await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What both people send to a service of their own at the same moment. */
async function both(url: string, payload: object) {
  const answers = await Promise.all(
    services.map(({ app }, index) =>
      app.inject({ method: 'POST', url, headers: people[index]!.headers, payload }),
    ),
  );
  return answers.map(({ statusCode }) => statusCode);
}

/** Who has been granted something on the stream with the tags, by place. */
async function ownersOf(tags: Tags): Promise<readonly number[]> {
  const { datastream, access } = services[0].service;
  const { id } = (await datastream.findStreams(tags).at(0))!;
  return access.grants.ofStream(id).map(({ subject }) => {
    const userId = subject.kind === 'user' ? subject.userId : null;
    return people.findIndex((person) => person.id === userId);
  });
}

describe('two services on a store, asked for the same stream by two users at the same moment', () => {
  test('make it the stream of the one whose call created it', async () => {
    for (let round = 0; round < ROUND_COUNT; round++) {
      const query = { round: String(round) };
      const statuses = await both('/api/v1/streams', { query });
      const winner = statuses.indexOf(201);
      // The other one may not know that it is there.
      expect([...statuses].sort()).toEqual([201, 403]);
      expect(await ownersOf(query)).toEqual([winner]);
    }
    expect(await services[0].service.datastream.findStreams().count()).toBe(ROUND_COUNT);
  });

  test('make it the stream of one also where both write to it', async () => {
    for (let round = 0; round < ROUND_COUNT; round++) {
      const tags = { written: String(round) };
      await both('/api/v1/write', { tags, v: 1, t: '2026-01-01T00:00:00Z' });
      expect(await ownersOf(tags)).toHaveLength(1);
    }
  });

  test('make a series of OpenOrg that of one', async () => {
    const config = {
      start: '1970-01-01T00:00:00Z',
      interval: 1800,
      series_type: 'period',
      timezone_name: 'Europe/London',
      archives: [{ aggregation_type: 'average', aggregation: 1, count: 10 }],
    };
    for (let round = 0; round < ROUND_COUNT; round++) {
      const slug = `house${round}`;
      const series = { slug, title: slug, config, is_public: false };
      const statuses = await both('/openorg/admin/', series);
      expect([...statuses].sort()).toEqual([201, 409]);
      const tags = { openorg: { slug } };
      expect(await ownersOf(tags)).toEqual([statuses.indexOf(201)]);
      expect(await services[0].service.datastream.findStreams(tags).count()).toBe(1);
    }
  });
});

describe.each([
  ['one service', [0, 0]],
  ['two services on a store', [0, 1]],
] as const)('%s, written to over two connections at the same moment', (_name, places) => {
  /** Writes a datapoint of a second of its own over each connection: how many of each were taken. */
  async function accepted(tags: Tags, strict: boolean, senders: readonly Person[]) {
    const answers = await Promise.all(
      places.map((place, index) =>
        services[place].app.inject({
          method: 'POST',
          url: `/api/v1/write?strict=${strict}`,
          headers: senders[index]!.headers,
          payload: { tags, v: index, t: 1_767_225_600 + index },
        }),
      ),
    );
    return answers.map((answer) => answer.json().accepted);
  }

  test.each([false, true])(
    'store nothing of him whose stream it is not (strict: %s)',
    async (strict) => {
      const { datastream } = services[0].service;
      for (let round = 0; round < ROUND_COUNT; round++) {
        const tags = { rival: String(round) };
        const counts = await accepted(tags, strict, people);
        const [owner] = await ownersOf(tags);
        expect(counts).toEqual([0, 1].map((index) => Number(index === owner)));
        const stream = (await datastream.findStreams(tags).at(0))!;
        const data = datastream.getData(stream.id, 'milliseconds', { start: 0 });
        expect((await data.toArray()).map(({ v }) => v)).toEqual([owner]);
      }
    },
  );

  test.each([false, true])('refuse nobody his own stream (strict: %s)', async (strict) => {
    const [anna] = people;
    for (let round = 0; round < ROUND_COUNT; round++) {
      const counts = await accepted({ own: String(round) }, strict, [anna, anna]);
      expect(counts).toEqual([1, 1]);
    }
  });
});
