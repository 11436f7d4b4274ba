import { setReachable } from '../state/connection.ts';
import { LIVE_EVENT_NAMES, type LiveEvent, parseLiveEvent } from './live-event.ts';

/** `polling`: the service sends no events, and pages ask for themselves now and then. `paused`: nobody asks. */
export type LiveStatus = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'paused';

interface LiveFeedOptions {
  /** @param id that whoever connects anew can go on behind; empty: it has none */
  readonly onEvent: (event: LiveEvent, id: string) => void;
  readonly onStatus: (status: LiveStatus) => void;
}

/** How long to wait after the service refused events, before it is asked again. */
const REFUSED_WAIT_MS = 30_000;
/** What is asked for anew when there are no events. */
const POLL_MS = 5000;

/**
 * Events of the service over one connection. The browser comes back by itself after a break and names the last event
 * that it got, so that nothing is missing or doubled.
 */
export class LiveFeed {
  readonly #url: string;
  readonly #options: LiveFeedOptions;
  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;

  constructor(url: string, options: LiveFeedOptions) {
    this.#url = url;
    this.#options = options;
    this.#open();
  }

  close(): void {
    this.#source?.close();
    clearTimeout(this.#retry);
    clearInterval(this.#poll);
  }

  #open(): void {
    const { onEvent, onStatus } = this.#options;
    const source = new EventSource(this.#url);
    this.#source = source;
    source.addEventListener('open', () => {
      clearInterval(this.#poll);
      setReachable(true);
      onStatus('live');
    });
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CONNECTING) onStatus('reconnecting');
      else this.#refused();
    });
    for (const name of LIVE_EVENT_NAMES) {
      source.addEventListener(name, (message: MessageEvent<string>) => {
        const event = parseLiveEvent(message.data);
        if (event !== null) onEvent(event, message.lastEventId);
      });
    }
  }

  /** The browser gives up after an answer that is not a stream of events. */
  #refused(): void {
    this.#options.onStatus('polling');
    clearInterval(this.#poll);
    this.#poll = setInterval(() => this.#options.onEvent({ kind: 'reset' }, ''), POLL_MS);
    this.#retry = setTimeout(() => this.#open(), REFUSED_WAIT_MS);
  }
}
