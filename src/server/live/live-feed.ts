import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamEvent, StreamPosition } from '../../api/change-feed.ts';
import type { Datastream } from '../../api/datastream.ts';
import { BackendClosed } from '../../exceptions/errors.ts';
import type { StreamId } from '../../model/stream.ts';
import { canonicalJson, type Tags } from '../../model/tags.ts';
import { EventRing } from './event-ring.ts';
import { type EventTags, LiveEvent, type OneStreamEvent, startMessage } from './live-event.ts';
import {
  type LiveRequest,
  Subscription,
  type SubscriptionLimits,
  type SubscriptionSource,
} from './subscription.ts';

export interface LiveFeedOptions extends Partial<SubscriptionLimits> {
  readonly nowMs: () => number;
  /** Events that are remembered for readers that come back. Default: 100,000 and 64 MiB. */
  readonly rememberedCountMax?: number;
  readonly rememberedSizeMaxBytes?: number;
  /** For how long the store is followed when nobody is there, so that readers can come back. Default: 60,000. */
  readonly lingerMs?: number;
  /** Told when the store cannot be followed; it is tried again. */
  readonly onError?: (error: unknown) => void;
}

/** What is known of a stream now. */
interface StreamState {
  readonly index: number;
  readonly tags: Tags;
  readonly position: StreamPosition;
}

/** The store being followed. */
interface Run {
  readonly abort: AbortController;
  /** Rejects when it could not begin. */
  readonly ready: Promise<void>;
  done: Promise<void>;
}

/** Sequences begin with the clock in microseconds: a million events in a second do not overtake it. */
const SEQUENCES_PER_MS = 1000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5000;
const MEBIBYTE = 2 ** 20;

/**
 * Tells any number of readers what becomes of streams. The store is followed once for all of them, from when the
 * first one comes until a while after the last one has gone.
 */
export class LiveFeed {
  readonly #datastream: Pick<Datastream, 'changes'>;
  readonly #options: LiveFeedOptions;
  readonly #limits: SubscriptionLimits;
  readonly #source: SubscriptionSource;
  #streams: Map<string, StreamState> = new Map();
  readonly #subscriptions = new Set<Subscription>();
  /** Subscriptions that are about certain streams only, by these. */
  readonly #byStream = new Map<string, Set<Subscription>>();
  /** All others. */
  readonly #wide = new Set<Subscription>();
  #ring: EventRing;
  #sequence = 0;
  #indexCount = 0;
  #run: Run | null = null;
  #lingerTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(datastream: Pick<Datastream, 'changes'>, options: LiveFeedOptions) {
    this.#datastream = datastream;
    this.#options = options;
    const {
      waitingCountMax = 1000,
      waitingSizeMaxBytes = 8 * MEBIBYTE,
      viewDurationMs = 5000,
      nowMs,
    } = options;
    this.#limits = { waitingCountMax, waitingSizeMaxBytes, viewDurationMs };
    this.#ring = this.#newRing();
    const sequence = (): number => this.#sequence;
    this.#source = {
      get sequence() {
        return sequence();
      },
      nowMs,
      indexOf: (streamId, tags) => {
        const state = this.#streams.get(streamId);
        return state?.tags === tags ? state.index : null;
      },
      start: (kind, subscription) => this.#startOf(kind, subscription),
      ended: (subscription) => this.#remove(subscription),
    };
  }

  /** How many readers there are, and how many events are remembered. */
  get counts(): { readonly readers: number; readonly remembered: number } {
    return { readers: this.#subscriptions.size, remembered: this.#ring.count };
  }

  /**
   * Subscribes a reader, as soon as the store is followed. His first message is `ready`; when he comes back with
   * `after`, it is the first event after that, or `reset` when that is no longer known: he has to read again.
   * @throws {BackendUnavailable} {BackendClosed} when the store cannot be followed.
   */
  async subscribe(request: LiveRequest): Promise<Subscription> {
    if (this.#isClosed) throw new BackendClosed('The live feed is closed.');
    clearTimeout(this.#lingerTimer);
    this.#run ??= this.#start();
    const { ready } = this.#run;
    await ready;
    const subscription = new Subscription(request, this.#source, this.#limits);
    if (this.#isClosed) subscription.end();
    if (request.signal?.aborted !== true && !this.#isClosed) this.#add(subscription);
    else this.#lingerWhenAlone();
    return subscription;
  }

  /** Ends every subscription, and stops following. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const subscription of [...this.#subscriptions]) subscription.end();
    await this.#stop();
  }

  #add(subscription: Subscription): void {
    const { after } = subscription.request;
    const isKnown = after !== undefined && after <= this.#sequence;
    const missed = isKnown ? this.#ring.after(after) : null;
    if (missed !== null) subscription.resume(missed);
    else subscription.begin(after === undefined ? 'ready' : 'reset');
    this.#subscriptions.add(subscription);
    const { onlyStreamIds } = subscription;
    if (onlyStreamIds === null) this.#wide.add(subscription);
    for (const streamId of onlyStreamIds ?? []) {
      const known = this.#byStream.get(streamId);
      if (known === undefined) this.#byStream.set(streamId, new Set([subscription]));
      else known.add(subscription);
    }
  }

  #remove(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#wide.delete(subscription);
    for (const streamId of subscription.onlyStreamIds ?? []) {
      const known = this.#byStream.get(streamId);
      known?.delete(subscription);
      if (known?.size === 0) this.#byStream.delete(streamId);
    }
    this.#lingerWhenAlone();
  }

  #lingerWhenAlone(): void {
    if (this.#subscriptions.size > 0 || this.#isClosed) return;
    clearTimeout(this.#lingerTimer);
    const { lingerMs = 60_000 } = this.#options;
    this.#lingerTimer = setTimeout(() => void this.#stop(), lingerMs).unref();
  }

  #newRing(): EventRing {
    const {
      rememberedCountMax: countMax = 100_000,
      rememberedSizeMaxBytes: sizeMaxBytes = 64 * MEBIBYTE,
    } = this.#options;
    return new EventRing(this.#sequence, { countMax, sizeMaxBytes });
  }

  #start(): Run {
    this.#sequence = Math.max(this.#sequence + 1, this.#options.nowMs() * SEQUENCES_PER_MS);
    this.#ring = this.#newRing();
    this.#streams = new Map();
    const abort = new AbortController();
    const { promise: ready, resolve, reject } = withResolvers();
    const run: Run = { abort, ready, done: Promise.resolve() };
    run.done = this.#follow(abort.signal, resolve).catch((error: unknown) => {
      if (this.#run === run) this.#run = null;
      reject(error);
    });
    return run;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#lingerTimer);
    const run = this.#run;
    this.#run = null;
    run?.abort.abort();
    await run?.done;
  }

  /** Follows the store until it is aborted; over failures, once it has begun. @throws what the first try throws. */
  async #follow(signal: AbortSignal, onReady: () => void): Promise<void> {
    let hasBegun = false;
    let retryMs = RETRY_MIN_MS;
    while (!signal.aborted) {
      try {
        const after = Object.fromEntries(
          Array.from(this.#streams, ([streamId, { position }]) => [streamId, position]),
        );
        for await (const event of this.#datastream.changes({ after, signal })) {
          if (signal.aborted) return;
          if (event.kind === 'ready') this.#takeStart(event, hasBegun);
          else this.#take(event);
          hasBegun = true;
          retryMs = RETRY_MIN_MS;
          onReady();
        }
      } catch (error) {
        if (!hasBegun || signal.aborted) throw error;
        this.#options.onError?.(error);
        await sleep(retryMs, undefined, { signal }).catch(() => {});
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
      }
    }
  }

  /** Streams as they are when following begins, or begins again. */
  #takeStart({ streams }: Extract<StreamEvent, { kind: 'ready' }>, isAgain: boolean): void {
    for (const stream of streams) {
      const { streamId, tags, position } = stream;
      const known = this.#streams.get(streamId);
      if (!isAgain) this.#streams.set(streamId, { index: this.#indexCount++, tags, position });
      else if (known === undefined) this.#take({ kind: 'created', ...stream });
      else if (canonicalJson(known.tags) !== canonicalJson(tags)) {
        this.#take({ kind: 'tags', streamId, tags });
      }
    }
  }

  #take(event: OneStreamEvent): void {
    const before = this.#streams.get(event.streamId);
    const after = stateAfter(event, before, this.#indexCount);
    if (after !== undefined && before === undefined) this.#indexCount++;
    const position = after?.position ?? before?.position;
    if (position === undefined) return;
    const tags: EventTags = { before: before?.tags ?? null, after: after?.tags ?? null };
    this.#sequence++;
    const live = new LiveEvent(event, { sequence: this.#sequence, tags, position });
    this.#ring.push(live);
    const readers = this.#readersOf(event.streamId);
    if (after === undefined) this.#streams.delete(event.streamId);
    else this.#streams.set(event.streamId, after);
    if (before !== undefined && tags.before !== tags.after) {
      for (const subscription of readers) subscription.forgetView(before.index);
    }
    for (const subscription of readers) subscription.offer(live);
  }

  #readersOf(streamId: string): readonly Subscription[] {
    return [...this.#wide, ...(this.#byStream.get(streamId) ?? [])];
  }

  #startOf(kind: 'ready' | 'reset', subscription: Subscription): ReturnType<typeof startMessage> {
    const { withStreams = true } = subscription.request;
    if (!withStreams) return startMessage(kind, this.#sequence, []);
    const ids = subscription.onlyStreamIds ?? this.#streams.keys();
    const streams = Array.from(ids).flatMap((streamId) => {
      const state = this.#streams.get(streamId);
      if (state === undefined || !subscription.sees(streamId, state.tags)) return [];
      const { tags, position } = state;
      return [{ streamId: streamId as StreamId, tags, position }];
    });
    return startMessage(kind, this.#sequence, streams);
  }
}

/** What is known of the stream after the event; undefined when it is gone, or was not there. */
function stateAfter(
  event: OneStreamEvent,
  before: StreamState | undefined,
  newIndex: number,
): StreamState | undefined {
  switch (event.kind) {
    case 'created':
      return { index: before?.index ?? newIndex, tags: event.tags, position: event.position };
    case 'appended':
    case 'changed':
      return before && { ...before, position: event.position };
    case 'tags':
      return before && { ...before, tags: event.tags };
    case 'expired':
    case 'levels':
      return before;
    case 'left':
    case 'deleted':
      return undefined;
  }
}

function withResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
} {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Whoever waits is told; nobody may.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
