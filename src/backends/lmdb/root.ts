import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** EINVAL: the locks in the lock file are those that a process has taken apart. */
const LOCKS_GONE = 22;
const TRY_COUNT = 9;
const FIRST_PAUSE_MS = 20;

/**
 * Opens an LMDB environment with `open`, again and again while another process is closing it. Who closes an
 * environment as the last one takes the locks in its lock file apart, and who waits for just that would find them so.
 * Whoever opens it when nobody has it open makes them anew.
 * @throws what `open` throws, when it does so for another reason or for seconds.
 */
export async function openLmdbRoot<Root>(open: () => Root): Promise<Root> {
  for (let left = TRY_COUNT, pauseMs = FIRST_PAUSE_MS; ; left--, pauseMs *= 2) {
    try {
      return open();
    } catch (error) {
      if (left === 1 || !isNativeError(error) || !('code' in error) || error.code !== LOCKS_GONE) {
        throw error;
      }
    }
    await releaseUnreachable();
    await sleep(pauseMs);
  }
}

/** lmdb-js closes what it did not open to the end when it is collected as garbage: until then, it is not let go. */
async function releaseUnreachable(): Promise<void> {
  // The error of the attempt is still at hand in its own turn.
  await nextTurn();
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collectGarbage();
  // What belongs to the collected objects is freed in a turn of its own.
  await nextTurn();
}
