import type { Writable } from 'node:stream';

/** Text gathered before it is handed to the stream: fewer, larger writes. */
const BUFFER_LENGTH = 64 * 1024;

/** The reader of our output is gone (`| head`): the command ends quietly. */
export class OutputClosed extends Error {}

/** Writes text to a stream in large pieces and waits while the reader is slower than we are. */
export class Output {
  readonly #stream: Writable;
  #buffer = '';
  #error: Error | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    this.#stream.on('error', this.#onError);
  }

  readonly #onError = (error: Error): void => {
    this.#error ??= error;
  };

  /** @throws {OutputClosed} when nobody reads any more. */
  async write(text: string): Promise<void> {
    this.#buffer += text;
    if (this.#buffer.length >= BUFFER_LENGTH) await this.flush();
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  async flush(): Promise<void> {
    this.#assertWritable();
    const text = this.#buffer;
    this.#buffer = '';
    if (text === '') return;
    await new Promise<void>((resolve) => this.#stream.write(text, () => resolve()));
    this.#assertWritable();
  }

  /** Stops listening to the stream, which stays open. */
  release(): void {
    // A late EPIPE of the last write would otherwise end the process with a stack trace.
    this.#stream.off('error', this.#onError);
    this.#stream.on('error', () => {});
  }

  #assertWritable(): void {
    if (this.#error === null) return;
    if ('code' in this.#error && this.#error.code === 'EPIPE') throw new OutputClosed();
    throw this.#error;
  }
}
