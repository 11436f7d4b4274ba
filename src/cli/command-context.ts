import { Datastream } from '../api/datastream.ts';
import { openBackend } from '../backends/open-backend.ts';
import type { DatastreamWarning } from '../exceptions/warnings.ts';
import type { CliIo } from './cli-io.ts';
import { Output } from './output.ts';

/** Warnings beyond this number are counted, not printed: a bad counter can give one per datapoint. */
const PRINTED_WARNING_COUNT = 20;

/** What a command works with: the outside world, buffered output, and the store. */
export class CommandContext {
  readonly io: CliIo;
  readonly out: Output;
  /** URL of the store; set before a command runs. */
  storeUrl = 'embedded:./data';
  /** Takes the engine's warnings; `collect` keeps them away from its live view. */
  onWarning: (warning: DatastreamWarning) => void;
  #warningCount = 0;

  constructor(io: CliIo) {
    this.io = io;
    this.out = new Output(io.stdout);
    this.onWarning = (warning) => this.#warn(warning);
  }

  /** Writes one line to stderr, under the name of the program. */
  note(message: string): void {
    this.io.stderr.write(`datastream: ${oneLine(message)}\n`);
  }

  /** Opens the store for the time of the work, and closes it whatever happens. */
  async withDatastream<T>(work: (datastream: Datastream) => Promise<T>): Promise<T> {
    const backend = await openBackend(this.storeUrl, { now: this.io.now });
    const datastream = new Datastream(backend, {
      now: this.io.now,
      onWarning: (warning) => this.onWarning(warning),
    });
    try {
      return await work(datastream);
    } finally {
      await datastream.close();
    }
  }

  /** Says how many warnings were not printed. */
  finishWarnings(): void {
    const hiddenCount = this.#warningCount - PRINTED_WARNING_COUNT;
    if (hiddenCount > 0) this.note(`warning: ${hiddenCount} more warnings`);
  }

  #warn(warning: DatastreamWarning): void {
    this.#warningCount++;
    if (this.#warningCount <= PRINTED_WARNING_COUNT) this.note(`warning: ${warning.message}`);
  }
}

/** The text on one line, without control characters that could move the cursor. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to keep out
  return text.trim().replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
