import type { LiveMessage } from './live-event.ts';
import type { Subscription } from './subscription.ts';

/** How long a reader waits before it connects again. */
const RETRY_MS = 1000;

/** An event, named as its kind is, as a frame of `text/event-stream` (WHATWG HTML, 9.2). */
function sseFrame({ sequence, kind, json }: LiveMessage): string {
  return `id: ${sequence}\nevent: ${kind}\ndata: ${json}\n\n`;
}

/**
 * A sign of life: a comment, and the sequence up to which there was nothing else, which a reader remembers without
 * being told of an event.
 */
function sseHeartbeat(sequence: number): string {
  return `:\nid: ${sequence}\n\n`;
}

/** All that a subscription gives as texts to write one after the other, until it ends. */
export async function* sseTexts(
  subscription: Subscription,
  { heartbeatMs }: { readonly heartbeatMs: number },
): AsyncGenerator<string, void, undefined> {
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    for (;;) {
      const messages = await subscription.next(heartbeatMs);
      if (messages === null) return;
      yield messages.length === 0
        ? sseHeartbeat(subscription.sequence)
        : messages.map(sseFrame).join('');
    }
  } finally {
    subscription.end();
  }
}
