import { setTimeout as pause } from 'node:timers/promises';
import { StreamAppendContended } from '../../exceptions/errors.ts';

/** How often something is begun anew because others changed the streams in the middle of it. */
const TRY_COUNT_MAX = 25;
const PAUSE_MAX_MS = 200;

/**
 * Does what compares and then stores, until nobody comes in between.
 * @throws {StreamAppendContended} when somebody did on each try.
 */
export async function untilUnchanged<T>(task: () => Promise<T>): Promise<T> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof StreamAppendContended) || tryCount === TRY_COUNT_MAX) throw error;
    }
    // Two that are as quick as each other would meet again.
    await pause(Math.random() * Math.min(2 ** tryCount, PAUSE_MAX_MS));
  }
}
