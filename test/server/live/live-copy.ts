import type { StreamPosition } from '../../../src/api/change-feed.ts';
import type { Datastream } from '../../../src/api/datastream.ts';
import type { LiveMessage } from '../../../src/server/live/live-event.ts';
import type { LiveFeed } from '../../../src/server/live/live-feed.ts';
import { type Row, readRaw, rowsUntil } from '../../engine/feed/local-copy.ts';

interface Started {
  readonly streamId: string;
  readonly position: StreamPosition;
}

/** An event as a browser has it. */
interface Wire extends Started {
  readonly kind: LiveMessage['kind'];
  readonly streams: readonly Started[];
  readonly from: string | null;
  readonly until: string;
  readonly timestamps: readonly number[];
  readonly values: readonly unknown[];
}

/** What a page shows that reads streams when it is told to, and comes back each time that it was cut off. */
export class LiveCopy {
  readonly rows: Map<string, readonly Row[]> = new Map();
  /** Kinds of all messages so far. */
  readonly kinds: string[] = [];
  readonly #datastream: Datastream;
  readonly #feed: LiveFeed;
  /** Messages of each connection; then it is cut off, with some of them perhaps unread. */
  readonly #cuts: readonly number[];
  #sequence: number | null = null;
  #isOver = false;
  #cut: (() => void) | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(datastream: Datastream, feed: LiveFeed, cuts: readonly number[]) {
    this.#datastream = datastream;
    this.#feed = feed;
    this.#cuts = cuts;
  }

  begin(): void {
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#cut?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let connection = 0; !this.#isOver; connection++) {
      const subscription = await this.#feed.subscribe({
        canView: () => true,
        ...(this.#sequence === null ? {} : { after: this.#sequence }),
      });
      this.#cut = () => subscription.end();
      let leftCount = this.#cuts[connection] ?? Number.POSITIVE_INFINITY;
      for await (const message of subscription) {
        await this.#apply(message);
        if (--leftCount <= 0) break;
      }
    }
  }

  async #apply({ sequence, kind, json }: LiveMessage): Promise<void> {
    const event = JSON.parse(json) as Wire;
    if (event.kind !== kind) throw new Error(`${kind} is ${event.kind} in its text`);
    if (this.#sequence !== null && sequence < this.#sequence) throw new Error('sequences grow');
    this.#sequence = sequence;
    this.kinds.push(kind);
    await this.#take(event);
  }

  async #take(event: Wire): Promise<void> {
    const { streamId } = event;
    switch (event.kind) {
      case 'ready':
      case 'reset':
        this.rows.clear();
        for (const stream of event.streams) await this.#read(stream, null);
        return;
      case 'created':
        return this.#read(event, null);
      case 'changed':
        return this.#read(event, event.from);
      case 'appended': {
        const added = event.timestamps.map((t, i): Row => [t, event.values[i]]);
        this.rows.set(streamId, [...this.rows.get(streamId)!, ...added]);
        return;
      }
      case 'expired': {
        const untilMs = Date.parse(event.until);
        this.rows.set(
          streamId,
          this.rows.get(streamId)!.filter(([t]) => t >= untilMs),
        );
        return;
      }
      case 'left':
      case 'deleted':
        this.rows.delete(streamId);
        return;
      case 'levels':
      case 'tags':
    }
  }

  async #read({ streamId, position }: Started, from: string | null): Promise<void> {
    const fromMs = from === null ? Number.NEGATIVE_INFINITY : Date.parse(from);
    const latest = position.latest === null ? null : new Date(position.latest);
    const kept = (this.rows.get(streamId) ?? []).filter(([t]) => t < fromMs);
    const read = (await readRaw(this.#datastream, streamId)).filter(([t]) => t >= fromMs);
    this.rows.set(streamId, [...kept, ...rowsUntil(read, { ...position, latest })]);
  }
}
