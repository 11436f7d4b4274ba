import type { DatastreamWarning } from '../../exceptions/warnings.ts';

/** The code under which the engine warns that maintenance of one stream failed. */
const FAILURE_CODE = 'DATASTREAM_WARNING';

/** Counts what the engine warns of, as maintenance goes on where one stream fails. */
export class WarningCounts {
  #failureCount = 0;
  #lastFailure = '';

  /** How often maintenance of a stream has failed. */
  get failureCount(): number {
    return this.#failureCount;
  }

  /** What was said of the last of these; empty before the first. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  note({ code, message }: DatastreamWarning): void {
    if (code !== FAILURE_CODE) return;
    this.#failureCount++;
    this.#lastFailure = message;
  }
}
