import type { Readable, Writable } from 'node:stream';
import type { Sampler } from '../collect/sampler.ts';

/** Everything of the outside world that commands touch, so that tests run them in-process. */
export interface CliIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
  };
  readonly now: () => Date;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Resolves after the time, or at once when the signal is aborted; never rejects. */
  readonly sleep: (durationMs: number, signal: AbortSignal) => Promise<void>;
  /**
   * Has the work done, synchronously, when the process ends before the command does; gives the way to
   * take that back. Absent: processes end with their commands.
   */
  readonly onExit?: (work: () => void) => () => void;
  /** Size of the terminal at this moment; the defaults of 80 × 24 hold where there is none. */
  readonly columnCount?: number | undefined;
  readonly rowCount?: number | undefined;
  /** Where `collect` takes its samples. Default: this host. */
  readonly sampler?: Sampler;
}
