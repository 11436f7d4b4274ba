import type { StreamId } from '../../model/stream.ts';
import { ChangeApplier } from './change-applier.ts';
import { InfluxFailure } from './influx-errors.ts';
import type { InfluxHttp } from './influx-http.ts';
import type { PendingChange } from './pending-change.ts';

/** Why InfluxDB refuses what is to come to a stream, by stream. */
export type Refusals = Map<StreamId, string>;

/**
 * Carries out changes one after the other, for when InfluxDB has refused some of them: what it refuses is
 * held back, and so is all that comes to the same stream later. Other streams get theirs.
 */
export class CarefulApplier {
  readonly #http: InfluxHttp;
  /** Streams with something held back; grows with each change that is refused. */
  readonly refusals: Refusals;
  /** Streams that are gone: whatever was held back of them is void. */
  readonly dropped: Set<StreamId> = new Set();

  constructor(http: InfluxHttp, refusals: Refusals) {
    this.#http = http;
    this.refusals = refusals;
  }

  /** Returns what of the changes is held back, in their order. Failures of the server as a whole pass. */
  async apply(changes: readonly PendingChange[]): Promise<readonly PendingChange[]> {
    let held: PendingChange[] = [];
    for (const change of changes) {
      if (change.kind === 'drop') {
        held = held.filter((item) => item.kind === 'tick' || item.streamId !== change.streamId);
        held = held.flatMap((item) => this.#without(item, change.streamId));
        const refused = await this.#try(change);
        held.push(...refused);
        if (refused.length > 0) continue;
        this.refusals.delete(change.streamId);
        this.dropped.add(change.streamId);
        continue;
      }
      const [free, behind] = split(change, (streamId) => this.refusals.has(streamId));
      if (behind !== null) held.push(behind);
      if (free !== null) held.push(...(await this.#try(free)));
    }
    return held;
  }

  #without(change: PendingChange, streamId: StreamId): readonly PendingChange[] {
    const [rest] = split(change, (id) => id === streamId);
    return rest === null ? [] : [rest];
  }

  async #try(change: PendingChange): Promise<readonly PendingChange[]> {
    try {
      const applier = new ChangeApplier(this.#http);
      await applier.add([change]);
      await applier.finish();
      return [];
    } catch (error) {
      if (!(error instanceof InfluxFailure) || !error.isRefusal) throw error;
      if (change.kind !== 'tick' || change.streamIds.length === 1) {
        this.refusals.set(streamIdsOfChange(change)[0]!, error.message);
        return [change];
      }
      const firstHalf = new Set(change.streamIds.slice(0, change.streamIds.length >> 1));
      const halves = split(change, (streamId) => firstHalf.has(streamId));
      const held: PendingChange[] = [];
      for (const half of halves) if (half !== null) held.push(...(await this.#try(half)));
      return held;
    }
  }
}

/** Streams that a change concerns. */
export function streamIdsOfChange(change: PendingChange): readonly StreamId[] {
  return change.kind === 'tick' ? change.streamIds : [change.streamId];
}

/** The part of a change for other streams, and the part for those that are picked out. */
export function split(
  change: PendingChange,
  isPicked: (streamId: StreamId) => boolean,
): readonly [PendingChange | null, PendingChange | null] {
  const picked = streamIdsOfChange(change).map(isPicked);
  if (!picked.includes(true)) return [change, null];
  if (!picked.includes(false) || change.kind !== 'tick') return [null, change];
  const part = (isWanted: boolean): PendingChange => ({
    ...change,
    streamIds: change.streamIds.filter((_, index) => picked[index] === isWanted),
    values: change.values.filter((_, index) => picked[index] === isWanted),
  });
  return [part(false), part(true)];
}
