import type { Collection } from '../state/collection.ts';
import { ALERT_SILENCES, type AlertSilence, silenceId } from '../state/records/alert-silence.ts';
import type { StateStore } from '../state/state-store.ts';

/** For how long nobody is told of some alerts; they are raised and cleared all the same. */
export class Silences {
  readonly #state: StateStore;
  readonly #silences: Collection<AlertSilence, 'rule'>;

  constructor(state: StateStore) {
    this.#state = state;
    this.#silences = state.collection(ALERT_SILENCES);
  }

  isSilent(ruleId: string, streamId: string, nowMs: number): boolean {
    return [null, streamId].some((id) => {
      const silence = this.#silences.get(silenceId(ruleId, id));
      return silence !== null && nowMs < silence.untilMs;
    });
  }

  /** Those of a rule that are not over. */
  ofRule(ruleId: string, nowMs: number): readonly AlertSilence[] {
    return this.#silences.find('rule', ruleId).filter(({ untilMs }) => nowMs < untilMs);
  }

  /** Takes the place of the silence of the same rule and stream. */
  put(silence: Omit<AlertSilence, 'id'>): void {
    this.#silences.put({ ...silence, id: silenceId(silence.ruleId, silence.streamId) });
  }

  /** Whether there was one. */
  remove(ruleId: string, streamId: string | null): boolean {
    return this.#silences.remove(silenceId(ruleId, streamId));
  }

  removeOfRule(ruleId: string): void {
    for (const { id } of this.#silences.find('rule', ruleId)) this.#silences.remove(id);
  }

  removeEnded(nowMs: number): void {
    this.#state.write(() => {
      for (const { id, untilMs } of this.#silences.all()) {
        if (nowMs >= untilMs) this.#silences.remove(id);
      }
    });
  }
}
