import type { StreamEvent, StreamPosition } from '../../../src/api/change-feed.ts';
import type { Datastream } from '../../../src/api/datastream.ts';

export type Row = readonly [timestampMs: number, value: unknown];

const CATCH_UP_MAX_MS = 10_000;

/** What somebody has who reads streams once, and then only does what the feed says. */
export class LocalCopy {
  readonly rows: Map<string, readonly Row[]> = new Map();
  readonly events: StreamEvent[] = [];
  readonly positions: Map<string, StreamPosition> = new Map();
  readonly #datastream: Datastream;
  #abort = new AbortController();
  /** Called before each event is taken in. */
  readonly #onEvent: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();

  constructor(datastream: Datastream, onEvent: () => Promise<void> = async () => {}) {
    this.#datastream = datastream;
    this.#onEvent = onEvent;
  }

  /** Resolves when the feed has begun; may be called again after it ended. */
  begin(options: Parameters<Datastream['changes']>[0] = {}): Promise<void> {
    this.#abort = new AbortController();
    return new Promise((resolve, reject) => {
      this.#running = this.#run({ ...options, signal: this.#abort.signal }, resolve);
      this.#running.catch(reject);
    });
  }

  async end(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  caughtUp(): Promise<ReadonlyMap<string, readonly Row[]>> {
    return caughtUp(this.#datastream, this.rows);
  }

  async #run(options: Parameters<Datastream['changes']>[0], onReady: () => void): Promise<void> {
    for await (const event of this.#datastream.changes(options)) {
      await this.#onEvent();
      this.events.push(event);
      await this.#apply(event);
      if (event.kind === 'ready') onReady();
    }
  }

  async #apply(event: StreamEvent): Promise<void> {
    switch (event.kind) {
      case 'ready':
        for (const { streamId, position } of event.streams) {
          if (!this.rows.has(streamId)) await this.#read(streamId, null, position);
        }
        return;
      case 'created':
        return this.#read(event.streamId, null, event.position);
      case 'changed':
        return this.#read(event.streamId, event.from, event.position);
      case 'appended': {
        const added = Array.from(event.timestamps, (t, i): Row => [t, cellOf(event.values, i)]);
        this.#set(event.streamId, [...this.rows.get(event.streamId)!, ...added], event.position);
        return;
      }
      case 'expired': {
        const kept = this.rows.get(event.streamId)!.filter(([t]) => t >= event.until.getTime());
        this.rows.set(event.streamId, kept);
        return;
      }
      case 'left':
      case 'deleted':
        this.rows.delete(event.streamId);
        return;
      case 'levels':
      case 'tags':
    }
  }

  async #read(streamId: string, from: Date | null, position: StreamPosition): Promise<void> {
    const fromMs = from?.getTime() ?? Number.NEGATIVE_INFINITY;
    const kept = (this.rows.get(streamId) ?? []).filter(([t]) => t < fromMs);
    const read = (await readRaw(this.#datastream, streamId)).filter(([t]) => t >= fromMs);
    this.#set(streamId, [...kept, ...rowsUntil(read, position)], position);
  }

  #set(streamId: string, rows: readonly Row[], position: StreamPosition): void {
    this.rows.set(streamId, rows);
    this.positions.set(streamId, position);
  }
}

/** All raw datapoints of a store. */
async function readAll(datastream: Datastream): Promise<ReadonlyMap<string, readonly Row[]>> {
  const stored = new Map<string, readonly Row[]>();
  for await (const { id } of datastream.findStreams()) {
    stored.set(id, await readRaw(datastream, id));
  }
  return stored;
}

/**
 * Waits until the copy is what the store has, and gives that; after a long time it gives it as well: the
 * difference is there to be seen.
 */
export async function caughtUp(
  datastream: Datastream,
  copy: ReadonlyMap<string, readonly Row[]>,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const endMs = Date.now() + CATCH_UP_MAX_MS;
  for (;;) {
    const stored = await readAll(datastream);
    if (textOf(stored) === textOf(copy) || Date.now() > endMs) return stored;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The rows up to a position: what came later is still to come. */
export function rowsUntil(rows: readonly Row[], { latest, count }: StreamPosition): readonly Row[] {
  if (latest === null) return [];
  const before = rows.filter(([t]) => t < latest.getTime());
  const last = rows.filter(([t]) => t === latest.getTime());
  return [...before, ...last.slice(0, count)];
}

export async function readRaw(datastream: Datastream, streamId: string): Promise<readonly Row[]> {
  try {
    const { highestGranularity } = await datastream.getStream(streamId);
    const range = { start: new Date(-8.64e15) };
    const { timestamps, values } = await datastream
      .getData(streamId, highestGranularity, range)
      .columns();
    return Array.from(timestamps, (t, i): Row => [t, cellOf(values!, i)]);
  } catch (error) {
    // Deleted meanwhile: the feed will say so.
    if ((error as { code?: string }).code === 'STREAM_NOT_FOUND') return [];
    throw error;
  }
}

function cellOf(values: ArrayLike<unknown>, index: number): unknown {
  const value = values[index];
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

function textOf(rows: ReadonlyMap<string, readonly Row[]>): string {
  return JSON.stringify([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}
