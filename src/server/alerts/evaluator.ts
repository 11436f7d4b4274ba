import { createHash } from 'node:crypto';
import type { BaseLogger } from 'pino';
import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { StreamNotFound } from '../../exceptions/errors.ts';
import { durationOf } from '../../model/duration.ts';
import { TIME_MIN_MS } from '../../model/time-range.ts';
import type { AlertRule, AlertState } from '../state/records/alert.ts';
import type { StateStore } from '../state/state-store.ts';
import { type Alert, alertOf, alertStateId, newAlert } from './alert-detail.ts';
import { type Limits, runState, runThreshold, type Stepped } from './alert-machine.ts';
import type { AlertRecorder, ReadRule } from './alert-recorder.ts';
import { type Observation, observedValues } from './observed-values.ts';
import { ruleDefinitionSchema, type Threshold } from './rule-definition.ts';

/** Streams whose alerts share a transaction, and so a disk flush. */
const LOOK_COUNT_MAX = 100;
const NOTHING_NEW: Observation = { values: [], newestMs: null };

/** Which streams an owner's rules may look at; null: none, as he may do nothing any more. */
export type WatchRights = (ownerId: string | null) => ((stream: Stream) => boolean) | null;

export interface EvaluatorParts {
  readonly state: StateStore;
  readonly datastream: Datastream;
  readonly recorder: AlertRecorder;
  readonly watchRights: WatchRights;
  readonly now: () => Date;
  readonly log: BaseLogger;
}

export interface EvaluationReport {
  readonly ruleCount: number;
  readonly streamCount: number;
  /** Streams that could not be looked at: the log says why. */
  readonly problemCount: number;
}

/** What came of one stream. */
interface Look {
  readonly stream: Stream;
  readonly before: Alert;
  readonly stepped: Stepped;
}

/** Holds the streams against the rules. */
export class Evaluator {
  readonly #parts: EvaluatorParts;

  constructor(parts: EvaluatorParts) {
    this.#parts = parts;
  }

  /** Looks at all rules once. @throws the reason of the signal; what is wrong with the store. */
  async evaluate(signal: AbortSignal): Promise<EvaluationReport> {
    let streamCount = 0;
    let problemCount = 0;
    const rules = this.#parts.state.alertRules.all().map(readRule);
    for (const read of rules) {
      const seen = new Set<string>();
      // Before the streams are read: another process may raise alerts of streams that came since.
      const known = this.#parts.state.alertStates.find('rule', read.rule.id);
      let looks: Look[] = [];
      for await (const stream of this.#streamsOf(read)) {
        signal.throwIfAborted();
        seen.add(stream.id);
        streamCount++;
        const look = await this.#look(read, stream);
        if (look === null) problemCount++;
        else looks.push(look);
        if (looks.length < LOOK_COUNT_MAX) continue;
        this.#record(read, looks);
        looks = [];
      }
      this.#record(read, looks);
      this.#closeOthers(read, { known, seen });
    }
    return { ruleCount: rules.length, streamCount, problemCount };
  }

  /** Whether a rule can be held against a stream at all. @throws what is wrong with its condition. */
  async assertFits({ condition }: ReadRule['definition'], stream: Stream): Promise<void> {
    if (condition.kind === 'stale') return;
    await observedValues(this.#parts.datastream, stream, { ...condition, seenMs: null });
  }

  async *#streamsOf({ rule, definition }: ReadRule): AsyncGenerator<Stream> {
    const mayWatch = rule.isEnabled ? this.#parts.watchRights(rule.ownerId) : null;
    if (mayWatch === null) return;
    const { target } = definition;
    if ('query' in target) {
      for await (const stream of this.#parts.datastream.findStreams(target.query)) {
        if (mayWatch(stream)) yield stream;
      }
      return;
    }
    const stream = await this.#streamOrNull(target.stream);
    if (stream !== null && mayWatch(stream)) yield stream;
  }

  async #streamOrNull(streamId: string): Promise<Stream | null> {
    try {
      return await this.#parts.datastream.getStream(streamId);
    } catch (error) {
      if (error instanceof StreamNotFound) return null;
      throw error;
    }
  }

  /** Null when the stream could not be looked at; then its alert stays as it is. */
  async #look(read: ReadRule, stream: Stream): Promise<Look | null> {
    const { log } = this.#parts;
    const before = this.#alertOf(read, stream);
    try {
      const stepped = await this.#stepped(read, stream, before);
      if (stepped.transitions.length === 0) return { stream, before, stepped };
      // Another process may have looked at a later datapoint than the list of streams has, before the alert was read.
      const current = (await this.#streamOrNull(stream.id)) ?? stream;
      return { stream: current, before, stepped: await this.#stepped(read, current, before) };
    } catch (error) {
      if (isOfStore(error)) throw error;
      const where = { rule: read.rule.name, stream: stream.id };
      log.warn({ err: error, ...where }, 'A rule could not be held against a stream.');
      return null;
    }
  }

  #record(read: ReadRule, looks: readonly Look[]): void {
    const { state, recorder } = this.#parts;
    if (looks.length === 0) return;
    state.write(() => {
      for (const { stream, before, stepped } of looks) {
        recorder.record(read, stream, { before, stepped });
      }
    });
  }

  #alertOf({ rule, conditionHash }: ReadRule, { id }: Stream): Alert {
    const held = this.#parts.state.alertStates.get(alertStateId(rule.id, id));
    const alert = held === null ? null : alertOf(held, conditionHash);
    return alert ?? newAlert(conditionHash, this.#parts.now().getTime());
  }

  async #stepped(
    { definition: { condition } }: ReadRule,
    stream: Stream,
    { memory }: Alert,
  ): Promise<Stepped> {
    const nowMs = this.#parts.now().getTime();
    const latestMs = stream.latestDatapoint?.getTime() ?? null;
    if (condition.kind === 'stale') {
      const afterMs = durationOf(condition.after)!;
      // Only a later datapoint ends it, not a clock that was set back.
      const stays =
        memory.phase === 'firing' &&
        !(latestMs !== null && latestMs > (memory.seenMs ?? TIME_MIN_MS));
      // Without any datapoint, it counts from when it was first looked at.
      const isRaised = stays || nowMs - (latestMs ?? memory.sinceMs) > afterMs;
      const atMs = isRaised && latestMs !== null ? latestMs + afterMs : nowMs;
      return runState(memory, { isRaised, atMs, seenMs: latestMs });
    }
    const { seenMs } = memory;
    const isOld = latestMs === null || (seenMs !== null && latestMs <= seenMs);
    const { values, newestMs } = isOld
      ? NOTHING_NEW
      : await observedValues(this.#parts.datastream, stream, { ...condition, seenMs });
    const limits = limitsOf(condition);
    // After the first look, everything that comes is new.
    const begun = seenMs === null ? { ...memory, seenMs: newestMs ?? TIME_MIN_MS } : memory;
    return runThreshold(begun, { values, nowMs, limits });
  }

  /** Streams that no longer match, or are gone, have no alert. */
  #closeOthers(
    read: ReadRule,
    { known, seen }: { known: readonly AlertState[]; seen: ReadonlySet<string> },
  ): void {
    const reason = read.rule.isEnabled ? 'the rule no longer covers it' : 'the rule was disabled';
    for (const state of known) {
      if (!seen.has(state.streamId)) this.#parts.recorder.close(read, state, reason);
    }
  }
}

/** A rule with its definition. */
export function readRule(rule: AlertRule): ReadRule {
  const definition = ruleDefinitionSchema.parse(rule.definition);
  const { target, condition } = definition;
  const conditionHash = createHash('sha256')
    .update(JSON.stringify([target, condition]))
    .digest('hex')
    .slice(0, 16);
  return { rule, definition, conditionHash };
}

function limitsOf({ above, below, clear, for: hold }: Threshold): Limits {
  const raise = above ?? below!;
  return {
    isAbove: above !== undefined,
    raise,
    clear: clear ?? raise,
    holdMs: hold === undefined ? 0 : durationOf(hold)!,
  };
}

/** What hurts all rules alike. */
function isOfStore(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return (
    code === 'BACKEND_UNAVAILABLE' || code === 'BACKEND_CLOSED' || code === 'STATE_UNAVAILABLE'
  );
}
