import type { IngestBatch } from './ingest-batch.ts';
import { JsonEntries, type JsonOptions } from './json-entry.ts';
import { type BodyParser, LineFeed, type LineOutcome } from './line-feed.ts';
import { abbreviate } from './problems.ts';

/** Nothing of a body can be read. */
class BodyInvalid extends Error {
  readonly code = 'BODY_INVALID';
}

/** Reads a JSON body: one entry, or a list of them. The whole body is held; datapoints count as lines. */
export class JsonParser implements BodyParser {
  readonly #batch: IngestBatch;
  readonly #entries: JsonEntries;
  readonly #pieces: Uint8Array[] = [];

  constructor(batch: IngestBatch, options: JsonOptions) {
    this.#batch = batch;
    this.#entries = new JsonEntries(batch, options);
  }

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  /** @throws {BodyInvalid} unless it is JSON; nothing of it is written then. */
  end(): void {
    this.#batch.line = 1;
    const body = parsed(Buffer.concat(this.#pieces).toString('utf8'));
    for (const entry of Array.isArray(body) ? body : [body]) {
      this.#entries.add(entry, { countsLines: true });
    }
  }
}

/** @throws {BodyInvalid} */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new BodyInvalid(`The body is not JSON: ${message}.`, { cause: error });
  }
}

/** Reads a body with an entry in each line. */
export class NdjsonParser implements BodyParser {
  readonly #entries: JsonEntries;
  readonly #feed: LineFeed;

  constructor(batch: IngestBatch, options: JsonOptions) {
    this.#entries = new JsonEntries(batch, options);
    this.#feed = new LineFeed(batch, {
      read: (bytes, from, to) => this.#readLine(bytes.toString('utf8', from, to)),
      recordSizeMaxBytes: options.recordSizeMaxBytes,
    });
  }

  push(bytes: Uint8Array): void {
    this.#feed.push(bytes);
  }

  end(): void {
    this.#feed.end();
  }

  #readLine(text: string): LineOutcome {
    if (text.trim() === '') return null;
    let entry: unknown;
    try {
      entry = JSON.parse(text);
    } catch {
      return `The line is not JSON: ${abbreviate(text)}.`;
    }
    this.#entries.add(entry, { countsLines: false });
    return null;
  }
}
