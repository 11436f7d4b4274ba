import { type IngestProblem, Problems } from './problems.ts';

/** What became of a request: every datapoint, and every line that was not read, counts once. */
export interface WriteOutcome {
  /** Stored now. */
  readonly accepted: number;
  /** Stored before. */
  readonly duplicate: number;
  /** Not stored: as many as there were problems. */
  readonly dropped: number;
  /** The latest timestamp of what is stored now or was before, in epoch milliseconds; null when there is none. */
  readonly last: number | null;
  /** The first of them. */
  readonly problems: readonly IngestProblem[];
}

/** Gathers what becomes of a request while its parts are written. */
export class WriteReport {
  readonly problems: Problems;
  acceptedCount = 0;
  duplicateCount = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor({ problemCountMax = 100 }: { readonly problemCountMax?: number } = {}) {
    this.problems = new Problems(problemCountMax);
  }

  noteStored(timestampMs: number): void {
    if (timestampMs > this.#lastMs) this.#lastMs = timestampMs;
  }

  outcome(): WriteOutcome {
    return {
      accepted: this.acceptedCount,
      duplicate: this.duplicateCount,
      dropped: this.problems.count,
      last: this.#lastMs === Number.NEGATIVE_INFINITY ? null : this.#lastMs,
      problems: this.problems.kept,
    };
  }
}
