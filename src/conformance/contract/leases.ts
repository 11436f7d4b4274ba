import assert from 'node:assert/strict';
import type { Suite } from '../fixture.ts';
import { createStream } from './rows-of.ts';

const DURATION_MS = 120_000;
const A = { owner: 'a', durationMs: DURATION_MS };
const B = { owner: 'b', durationMs: DURATION_MS };

export function leasesTopic({ test }: Suite): void {
  test('one owner holds a lease, and may take it again', async ({ backend }) => {
    const id = await createStream(backend, {});
    assert.equal(await backend.acquireLease(id, A), true);
    assert.equal(await backend.acquireLease(id, B), false);
    assert.equal(await backend.acquireLease(id, A), true);
    assert.equal(await backend.renewLease(id, B), false);
    assert.equal(await backend.renewLease(id, A), true);
  });

  test('leases of two streams have nothing to do with each other', async ({ backend }) => {
    const one = await createStream(backend, {});
    const two = await createStream(backend, {});
    assert.equal(await backend.acquireLease(one, A), true);
    assert.equal(await backend.acquireLease(two, B), true);
    await backend.releaseLease(one, 'a');
    assert.equal(await backend.acquireLease(two, A), false);
  });

  test('a released lease is free, and only its owner releases it', async ({ backend }) => {
    const id = await createStream(backend, {});
    await backend.acquireLease(id, A);
    await backend.releaseLease(id, 'b');
    assert.equal(await backend.acquireLease(id, B), false);
    await backend.releaseLease(id, 'a');
    assert.equal(await backend.renewLease(id, A), false);
    assert.equal(await backend.acquireLease(id, B), true);
    await backend.releaseLease(id, 'a');
    assert.equal(await backend.acquireLease(id, A), false);
  });

  test('a lease runs out, and its former owner is told', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    await backend.acquireLease(id, A);
    fixture.nowMs += DURATION_MS - 1;
    assert.equal(await backend.acquireLease(id, B), false);
    fixture.nowMs += 2;
    assert.equal(await backend.acquireLease(id, B), true);
    assert.equal(await backend.renewLease(id, A), false);
    await backend.releaseLease(id, 'a');
    assert.equal(await backend.renewLease(id, B), true);
  });

  test('a lease that ran out is not renewed, even if nobody took it', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    await backend.acquireLease(id, A);
    fixture.nowMs += DURATION_MS + 1;
    assert.equal(await backend.renewLease(id, A), false);
    assert.equal(await backend.acquireLease(id, A), true);
  });

  test('renewal counts from the time of renewal', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    await backend.acquireLease(id, A);
    for (let round = 0; round < 5; round++) {
      fixture.nowMs += DURATION_MS - 1000;
      assert.equal(await backend.renewLease(id, A), true);
      assert.equal(await backend.acquireLease(id, B), false);
    }
    fixture.nowMs += DURATION_MS + 1;
    assert.equal(await backend.acquireLease(id, B), true);
  });

  test('of concurrent takers one gets the lease', async ({ backend }) => {
    const id = await createStream(backend, {});
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        backend.acquireLease(id, { owner: `taker ${index}`, durationMs: DURATION_MS }),
      ),
    );
    assert.equal(answers.filter(Boolean).length, 1);
  });
}
