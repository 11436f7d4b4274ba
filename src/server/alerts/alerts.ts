import { randomUUID } from 'node:crypto';
import type { BaseLogger } from 'pino';
import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import type { Json } from '../../model/tags.ts';
import type { AlertRule } from '../state/records/alert.ts';
import type { StateStore } from '../state/state-store.ts';
import { alertMessage } from './alert-message.ts';
import { AlertRecorder, type MayTell } from './alert-recorder.ts';
import { type ChannelSettings, channels, type Send } from './channels.ts';
import { Deliverer } from './deliverer.ts';
import { type EvaluationReport, Evaluator, readRule, type WatchRights } from './evaluator.ts';
import { Outbox } from './outbox.ts';
import type { Destination, RuleDefinition } from './rule-definition.ts';
import { Silences } from './silences.ts';

export interface AlertsOptions {
  readonly state: StateStore;
  readonly datastream: Datastream;
  readonly settings: ChannelSettings & { readonly tryCountMax: number };
  readonly watchRights: WatchRights;
  readonly mayTell: MayTell;
  readonly now: () => Date;
  readonly log: BaseLogger;
  readonly onTry?: (kind: string, outcome: string) => void;
  /** Default: `Math.random`. */
  readonly random?: () => number;
}

/** What somebody says about a rule. */
export interface RuleInput {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly definition: RuleDefinition;
}

export interface TestedDestination {
  readonly destination: Destination;
  /** Null: it took the message. */
  readonly error: string | null;
}

/** Rules, what became of the streams that they look at, and who is told. Rights are checked by whoever calls. */
export class Alerts {
  readonly outbox: Outbox;
  readonly silences: Silences;
  readonly #options: AlertsOptions;
  readonly #send: Send;
  readonly #evaluator: Evaluator;
  readonly #recorder: AlertRecorder;
  readonly #deliverer: Deliverer;

  constructor(options: AlertsOptions) {
    const { state, settings, mayTell, now, log, onTry = () => {}, random = Math.random } = options;
    this.#options = options;
    this.outbox = new Outbox(state);
    this.silences = new Silences(state);
    const { outbox, silences } = this;
    this.#send = channels({ settings, log, now });
    this.#recorder = new AlertRecorder({ state, outbox, silences, mayTell, now });
    this.#evaluator = new Evaluator({ ...options, recorder: this.#recorder });
    const { tryCountMax, timeoutMs } = settings;
    this.#deliverer = new Deliverer({
      outbox,
      send: this.#send,
      tryCountMax,
      timeoutMs,
      now,
      random,
      onTry,
    });
  }

  /** Holds all streams against all rules. What is to be told is in the outbox then. */
  evaluate(signal: AbortSignal): Promise<EvaluationReport> {
    return this.#evaluator.evaluate(signal);
  }

  /** Sends what is due; resolves when each was taken or refused. */
  deliverDue(): Promise<void> {
    return this.#deliverer.deliverDue();
  }

  /** All rules, oldest first. */
  rules(): readonly AlertRule[] {
    return [...this.#options.state.alertRules.all()].sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  /** @throws {ServiceError} NOT_FOUND */
  rule(ruleId: string): AlertRule {
    return this.#options.state.alertRules.require(ruleId);
  }

  createRule({ definition, ...input }: RuleInput, ownerId: string | null): AlertRule {
    const nowMs = this.#nowMs;
    return this.#options.state.alertRules.insert({
      ...input,
      id: randomUUID(),
      ownerId,
      definition: definition as unknown as Json,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    });
  }

  /** Alerts under another condition begin anew with the next look. @throws {ServiceError} NOT_FOUND */
  updateRule(ruleId: string, { definition, ...input }: RuleInput): AlertRule {
    return this.#options.state.alertRules.update(ruleId, (rule) => ({
      ...rule,
      ...input,
      definition: definition as unknown as Json,
      // Whoever looks at streams by the rule of before must see that it is another.
      updatedAtMs: Math.max(this.#nowMs, rule.updatedAtMs + 1),
    }));
  }

  /** Removes a rule and ends its alerts; the history stays, and what was to be told is told. @throws {ServiceError} NOT_FOUND */
  removeRule(ruleId: string): void {
    const { state } = this.#options;
    state.write(() => {
      const read = readRule(this.rule(ruleId));
      for (const alert of state.alertStates.find('rule', ruleId)) {
        this.#recorder.close(read, alert, 'the rule was removed');
      }
      this.silences.removeOfRule(ruleId);
      state.alertRules.remove(ruleId);
    });
  }

  /** Whether a rule's condition makes sense for a stream. @throws what is wrong with it. */
  assertFits(definition: RuleDefinition, stream: Stream): Promise<void> {
    return this.#evaluator.assertFits(definition, stream);
  }

  /** Sends a test message to each destination of a rule, at once and once. @throws {ServiceError} NOT_FOUND */
  async test(ruleId: string): Promise<readonly TestedDestination[]> {
    const { rule, definition } = readRule(this.rule(ruleId));
    const incident = randomUUID();
    const happening = {
      event: 'test',
      incident,
      atMs: this.#nowMs,
      value: null,
      stream: null,
    } as const;
    const message = alertMessage(rule, definition, happening);
    const signal = AbortSignal.timeout(this.#options.settings.timeoutMs);
    return Promise.all(
      definition.destinations.map(async (destination) => {
        try {
          await this.#send(destination, { id: `${incident}-test`, message, signal });
          return { destination, error: null };
        } catch (error) {
          return { destination, error: error instanceof Error ? error.message : String(error) };
        }
      }),
    );
  }

  /** Forgets deliveries and silences that are over. */
  removeEnded(): void {
    this.outbox.removeEnded(this.#nowMs);
    this.silences.removeEnded(this.#nowMs);
  }

  /** Ends what is being sent; it is sent when the service is back. */
  async stop(): Promise<void> {
    await this.#deliverer.stop();
  }

  get #nowMs(): number {
    return this.#options.now().getTime();
  }
}
