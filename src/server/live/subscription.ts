import type { Tags } from '../../model/tags.ts';
import type { LiveEvent, LiveMessage } from './live-event.ts';

interface LiveStream {
  readonly id: string;
  readonly tags: Tags;
}

/** What somebody wants to be told: of streams that are named or wanted; with neither of both, of every stream. */
export interface LiveRequest {
  readonly streamIds?: readonly string[];
  /** Whether streams with these tags are wanted, also later. */
  readonly isWanted?: (tags: Tags) => boolean;
  /** The last sequence that he knows. */
  readonly after?: number;
  /** Whether `ready` and `reset` list the streams with their positions. Default: true. */
  readonly withStreams?: boolean;
  /** Which streams he may see; asked again every few seconds. */
  readonly canView: (stream: LiveStream) => boolean;
  readonly signal?: AbortSignal;
}

export interface SubscriptionLimits {
  /** Events that wait for the reader, at most. */
  readonly waitingCountMax: number;
  readonly waitingSizeMaxBytes: number;
  /** For how long an answer of `canView` holds. */
  readonly viewDurationMs: number;
}

/** What a subscription knows of the feed. */
export interface SubscriptionSource {
  readonly sequence: number;
  readonly nowMs: () => number;
  /** Small numbers for streams with the tags that they have now; null for others. */
  indexOf(streamId: string, tags: Tags): number | null;
  /** Where the reader of the subscription has to begin. */
  start(kind: 'ready' | 'reset', subscription: Subscription): LiveMessage;
  ended(subscription: Subscription): void;
}

/** What is known of a stream: nothing; the reader sees it or not; he did when that was last found out. */
const UNKNOWN = 0;
const HIDDEN = 1;
const SEEN = 2;
const WAS_HIDDEN = 3;
const WAS_SEEN = 4;
/** What becomes of each of these in the course of time. */
const AGED: readonly number[] = [UNKNOWN, WAS_HIDDEN, WAS_SEEN, WAS_HIDDEN, WAS_SEEN];

/**
 * The events of one reader. They wait until he takes them; when too many do, all are let go of, and he is told to
 * begin anew.
 */
export class Subscription {
  readonly request: LiveRequest;
  readonly #source: SubscriptionSource;
  readonly #limits: SubscriptionLimits;
  readonly #streamIds: ReadonlySet<string>;
  readonly #isOfAll: boolean;
  #waiting: LiveMessage[] = [];
  #waitingSizeBytes = 0;
  /** Of the waiting ones, those that were remembered for him: he has asked for them. */
  #rememberedCount = 0;
  #rememberedSizeBytes = 0;
  /** What he is to be told before anything else. */
  #start: 'ready' | 'reset' | null = null;
  #hasEnded = false;
  #wake: (() => void) | null = null;
  /** By index of the stream. */
  #views: Uint8Array = new Uint8Array(0);
  #viewsUntilMs = 0;
  readonly #onAbort = (): void => this.end();

  constructor(request: LiveRequest, source: SubscriptionSource, limits: SubscriptionLimits) {
    this.request = request;
    this.#source = source;
    this.#limits = limits;
    this.#streamIds = new Set(request.streamIds);
    this.#isOfAll = request.streamIds === undefined && request.isWanted === undefined;
    request.signal?.addEventListener('abort', this.#onAbort);
    if (request.signal?.aborted === true) this.end();
  }

  /** The streams that it is about, if it is about no others. */
  get onlyStreamIds(): ReadonlySet<string> | null {
    return this.request.streamIds !== undefined && this.request.isWanted === undefined
      ? this.#streamIds
      : null;
  }

  /** Up to where the reader knows everything, once he has taken all that waits. */
  get sequence(): number {
    return this.#source.sequence;
  }

  /** Begins with the streams as they are. */
  begin(kind: 'ready' | 'reset'): void {
    this.#start = kind;
    this.#waiting = [];
    this.#waitingSizeBytes = 0;
    this.#rememberedCount = 0;
    this.#rememberedSizeBytes = 0;
    this.#wake?.();
  }

  /** Begins with events that are remembered. */
  resume(events: readonly LiveEvent[]): void {
    for (const event of events) this.#add(event);
    this.#rememberedCount = this.#waiting.length;
    this.#rememberedSizeBytes = this.#waitingSizeBytes;
  }

  /** Takes an event in, if it is for this reader. */
  offer(event: LiveEvent): void {
    // Whoever is to begin anew will find what it did.
    if (this.#start !== null) return;
    this.#add(event);
    const { waitingCountMax, waitingSizeMaxBytes } = this.#limits;
    const isTooMuch =
      this.#waiting.length - this.#rememberedCount > waitingCountMax ||
      this.#waitingSizeBytes - this.#rememberedSizeBytes > waitingSizeMaxBytes;
    if (isTooMuch) this.begin('reset');
    else if (this.#waiting.length > 0) this.#wake?.();
  }

  /**
   * What waits, as soon as something does, in order; nothing after the given time; null at the end. One call at a
   * time.
   */
  async next(waitMs: number = Number.POSITIVE_INFINITY): Promise<readonly LiveMessage[] | null> {
    if (!this.#hasEnded && this.#start === null && this.#waiting.length === 0) {
      await this.#wait(waitMs);
    }
    if (this.#hasEnded) return null;
    if (this.#start !== null) {
      const message = this.#source.start(this.#start, this);
      this.#start = null;
      return [message];
    }
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingSizeBytes = 0;
    this.#rememberedCount = 0;
    this.#rememberedSizeBytes = 0;
    return messages;
  }

  /** One by one, until it ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LiveMessage, void, undefined> {
    try {
      for (let messages = await this.next(); messages !== null; messages = await this.next()) {
        yield* messages;
      }
    } finally {
      this.end();
    }
  }

  /** Idempotent. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.request.signal?.removeEventListener('abort', this.#onAbort);
    this.#waiting = [];
    this.#source.ended(this);
    this.#wake?.();
  }

  /** Whether the reader wants the stream, and may see it. */
  sees(streamId: string, tags: Tags): boolean {
    return this.#view(streamId, tags).seesIt;
  }

  /** Forgets whether the reader sees the stream. */
  forgetView(index: number): void {
    if (index < this.#views.length) this.#views[index] = UNKNOWN;
  }

  #add(event: LiveEvent): void {
    const { streamId, tags } = event;
    const { before, after } = tags;
    const view =
      after !== null && after === before
        ? this.#view(streamId, after)
        : {
            sawIt: before !== null && this.sees(streamId, before),
            seesIt: after !== null && this.sees(streamId, after),
          };
    const message = event.messageFor(view);
    if (message === null) return;
    this.#waiting.push(message);
    this.#waitingSizeBytes += message.json.length;
  }

  /** What the reader may see may change without the stream. */
  #view(streamId: string, tags: Tags): { readonly sawIt: boolean; readonly seesIt: boolean } {
    const index = this.#source.indexOf(streamId, tags);
    const known = index === null ? UNKNOWN : this.#viewsFor(index)[index]!;
    if (known === SEEN || known === HIDDEN) {
      return { sawIt: known === SEEN, seesIt: known === SEEN };
    }
    const seesIt = this.#canSee(streamId, tags);
    if (index !== null) this.#views[index] = seesIt ? SEEN : HIDDEN;
    return { sawIt: known === UNKNOWN ? seesIt : known === WAS_SEEN, seesIt };
  }

  #canSee(id: string, tags: Tags): boolean {
    const { isWanted, canView } = this.request;
    const isAsked = this.#isOfAll || this.#streamIds.has(id) || isWanted?.(tags) === true;
    return isAsked && canView({ id, tags });
  }

  /** With room for the index, and aged when it is time. */
  #viewsFor(index: number): Uint8Array {
    const nowMs = this.#source.nowMs();
    const { viewDurationMs } = this.#limits;
    // Further ahead than that it is only of a clock that was set back.
    if (nowMs >= this.#viewsUntilMs || nowMs < this.#viewsUntilMs - viewDurationMs) {
      this.#views = this.#views.map((view) => AGED[view]!);
      this.#viewsUntilMs = nowMs + viewDurationMs;
    }
    if (index >= this.#views.length) {
      const views = new Uint8Array(Math.max(64, index * 2));
      views.set(this.#views);
      this.#views = views;
    }
    return this.#views;
  }

  #wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(waitMs) ? setTimeout(() => this.#wake?.(), waitMs) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}
