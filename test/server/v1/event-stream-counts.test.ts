import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { addPerson, type Person, WITH_USERS } from '../compat/people.ts';
import { openTestService } from '../service.fixture.ts';

test('each caller, and all together, have only so many event streams open', async () => {
  const { app, service, close } = await openTestService({
    ...WITH_USERS,
    limits: { eventStreams: 3, eventStreamsPerCaller: 2 },
  });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const anna = await addPerson(service, 'anna', { isAdmin: true });
  const bob = await addPerson(service, 'bob', {});
  const open = async ({ headers }: Person): Promise<Response> => {
    const answer = await fetch(`${address}/api/v1/events`, { headers });
    if (answer.status !== 200) await answer.body?.cancel();
    return answer;
  };
  try {
    const first = await open(anna);
    expect([first.status, (await open(anna)).status]).toEqual([200, 200]);
    const refused = await open(anna);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect((await open(bob)).status).toBe(200);
    expect((await open(bob)).status).toBe(503);
    await first.body?.cancel();
    while ((await open(anna)).status !== 200) await sleep(5);
  } finally {
    await close();
  }
});
