import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from '../service.ts';

/** A store that takes longer is as good as away: whoever asks would give up, too. */
const STORE_WAIT_MS = 3000;

type Check = 'ok' | 'failing';

/** What the service needs to answer requests; why something fails is for the log, as anybody may ask. */
export interface Readiness {
  readonly store: Check;
  readonly state: Check;
  /** Whether the service is not about to end. */
  readonly running: Check;
}

/** Asks both stores. */
export async function readiness(service: Service): Promise<Readiness> {
  const [store, state] = await Promise.all([
    checked(service, 'store', () => service.datastream.findStreams().page({ limit: 1 })),
    checked(service, 'state', async () => service.state.jobPauses.revision),
  ]);
  return { store, state, running: service.ending.aborted ? 'failing' : 'ok' };
}

async function checked(
  { log }: Service,
  name: string,
  ask: () => Promise<unknown>,
): Promise<Check> {
  const timer = new AbortController();
  try {
    await Promise.race([
      ask(),
      delay(STORE_WAIT_MS, undefined, { signal: timer.signal }).then(() => {
        throw new Error(`no answer within ${STORE_WAIT_MS} ms`);
      }),
    ]);
    return 'ok';
  } catch (error) {
    log.warn({ err: error }, `The ${name} does not answer.`);
    return 'failing';
  } finally {
    timer.abort();
  }
}
