import { createHash } from 'node:crypto';
import type { Json } from '../../model/tags.ts';
import type { Collection } from '../state/collection.ts';
import { ALERT_DELIVERIES, type AlertDelivery } from '../state/records/alert-delivery.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AlertMessage } from './alert-message.ts';
import type { Destination } from './rule-definition.ts';

/** What was delivered, or given up, is shown for so long. */
const KEPT_MS = 7 * 86_400_000;

/**
 * What is to be told, on disk before anybody is told: a delivery outlives the process, and belongs to the one
 * that claimed it.
 */
export class Outbox {
  readonly #state: StateStore;
  readonly #deliveries: Collection<AlertDelivery, 'outcome' | 'rule'>;

  constructor(state: StateStore) {
    this.#state = state;
    this.#deliveries = state.collection(ALERT_DELIVERIES);
  }

  /**
   * Adds a message for each destination; part of the transaction under way. The same message is added once.
   * `seq` is its place among those of the stream.
   */
  add(
    message: AlertMessage,
    {
      destinations,
      seq,
      nowMs,
    }: {
      readonly destinations: readonly Destination[];
      readonly seq: number;
      readonly nowMs: number;
    },
  ): void {
    for (const destination of destinations) {
      const key = hashOf(destination);
      const id = `${message.incident}-${message.event}-${key}`;
      if (this.#deliveries.get(id) !== null) continue;
      this.#deliveries.insert({
        id,
        ruleId: message.rule.id,
        lane: `${message.rule.id} ${message.stream?.id ?? ''} ${key}`,
        seq,
        destination: destination as Json,
        message: message as unknown as Json,
        outcome: 'waiting',
        createdAtMs: nowMs,
        tryCount: 0,
        nextTryMs: nowMs,
        claimedUntilMs: 0,
        lastError: null,
        endedAtMs: null,
      });
    }
  }

  /**
   * Takes what is due and first in its lane, so that nobody else sends it until then. What would be due later than
   * `waitMaxMs` from now is so by a clock that was set back: it is due.
   */
  claim({
    nowMs,
    untilMs,
    countMax,
    waitMaxMs,
  }: {
    readonly nowMs: number;
    readonly untilMs: number;
    readonly countMax: number;
    readonly waitMaxMs: number;
  }): readonly AlertDelivery[] {
    const isOver = (atMs: number): boolean => atMs <= nowMs || atMs > nowMs + waitMaxMs;
    return this.#state.write(() => {
      const lanes = new Set<string>();
      const due = [...this.#deliveries.find('outcome', 'waiting')]
        .sort((a, b) => a.seq - b.seq)
        .filter(({ lane, nextTryMs, claimedUntilMs }) => {
          const isFirst = !lanes.has(lane);
          lanes.add(lane);
          return isFirst && isOver(nextTryMs) && isOver(claimedUntilMs);
        });
      return due
        .slice(0, countMax)
        .map((delivery) => this.#deliveries.put({ ...delivery, claimedUntilMs: untilMs }));
    });
  }

  /** Notes how a try went; nothing happens where it is gone. */
  settle(id: string, change: Partial<AlertDelivery>): void {
    this.#state.write(() => {
      const delivery = this.#deliveries.get(id);
      if (delivery !== null) this.#deliveries.put({ ...delivery, claimedUntilMs: 0, ...change });
    });
  }

  /** Of one rule, the newest first. */
  ofRule(ruleId: string): readonly AlertDelivery[] {
    return [...this.#deliveries.find('rule', ruleId)].sort((a, b) => b.seq - a.seq);
  }

  /** Forgets what ended long ago. */
  removeEnded(nowMs: number): void {
    this.#state.write(() => {
      for (const outcome of ['delivered', 'failed']) {
        for (const { id, endedAtMs } of this.#deliveries.find('outcome', outcome)) {
          if (nowMs - (endedAtMs ?? nowMs) > KEPT_MS) this.#deliveries.remove(id);
        }
      }
    });
  }
}

function hashOf(destination: Destination): string {
  return createHash('sha256').update(JSON.stringify(destination)).digest('hex').slice(0, 16);
}
