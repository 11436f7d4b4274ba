import type { Backend } from '../backends/backend.ts';
import type { DatastreamWarning } from '../exceptions/warnings.ts';

/** What every part of the engine works with. */
export interface EngineContext {
  readonly backend: Backend;
  /** The only clock, in epoch milliseconds. */
  readonly nowMs: () => number;
  readonly warn: (warning: DatastreamWarning) => void;
  /** Whether levels follow appends in order, and if so, whether also those of history that comes in bulk. */
  readonly liveLevels: boolean | 'unless-bulk';
}
