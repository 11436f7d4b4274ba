import { randomUUID } from 'node:crypto';
import type { Json, Tags } from '../../model/tags.ts';
import type { AlertRule, AlertState } from '../state/records/alert.ts';
import type { StateStore } from '../state/state-store.ts';
import { type Alert, alertStateId, detailOf, stateOf } from './alert-detail.ts';
import type { Stepped, Transition } from './alert-machine.ts';
import { alertMessage } from './alert-message.ts';
import type { Outbox } from './outbox.ts';
import type { Destination, RuleDefinition } from './rule-definition.ts';
import type { Silences } from './silences.ts';

/** A rule and what its definition says. */
export interface ReadRule {
  readonly rule: AlertRule;
  readonly definition: RuleDefinition;
  readonly conditionHash: string;
}

/** What is kept of a stream with its alert. */
interface Watched {
  readonly id: string;
  readonly tags: Tags;
}

export interface RecorderParts {
  readonly state: StateStore;
  readonly outbox: Outbox;
  readonly silences: Silences;
  readonly mayTell: MayTell;
  readonly now: () => Date;
}

/** Whether rules of an owner, null for none, may send something there: asked whenever there is something to send. */
export type MayTell = (ownerId: string | null, destination: Destination) => boolean;

/** Stores what became of alerts, with their history and with what is to be told, in one transaction. */
export class AlertRecorder {
  readonly #state: StateStore;
  readonly #outbox: Outbox;
  readonly #silences: Silences;
  readonly #mayTell: MayTell;
  readonly #now: () => Date;

  constructor({ state, outbox, silences, mayTell, now }: RecorderParts) {
    this.#mayTell = mayTell;
    this.#state = state;
    this.#outbox = outbox;
    this.#silences = silences;
    this.#now = now;
  }

  /** Nothing is stored where the rule, or the alert, was changed since it was read. */
  record(
    read: ReadRule,
    stream: Watched,
    { before, stepped }: { before: Alert; stepped: Stepped },
  ): void {
    this.#state.write(() => {
      if (!this.#isCurrent(read.rule)) return;
      const held = this.#state.alertStates.get(alertStateId(read.rule.id, stream.id));
      const heldRevision = held === null ? 0 : detailOf(held).revision;
      const isOfOther = held !== null && detailOf(held).conditionHash !== read.conditionHash;
      if (!isOfOther && heldRevision !== before.revision) return;
      if (isOfOther) this.#close(read, held, 'the rule was changed');
      const after = this.#announced(read, stream, this.#applied(read, stream, before, stepped));
      const isNew = held === null || isOfOther;
      if (!isNew && isSame(before, after)) return;
      const revision = heldRevision + 1;
      this.#state.alertStates.put(
        stateOf(
          { ...after, revision },
          { ruleId: read.rule.id, streamId: stream.id, tags: stream.tags },
        ),
      );
    });
  }

  /** Ends an alert whose stream or rule is no longer looked at. Nothing is stored where `record` would not. */
  close(read: ReadRule, state: AlertState, reason: string): void {
    this.#state.write(() => {
      if (!this.#isCurrent(read.rule)) return;
      const held = this.#state.alertStates.get(state.id);
      if (held === null || detailOf(held).revision !== detailOf(state).revision) return;
      this.#close(read, held, reason);
      this.#state.alertStates.remove(held.id);
    });
  }

  #isCurrent({ id, updatedAtMs }: AlertRule): boolean {
    return this.#state.alertRules.get(id)?.updatedAtMs === updatedAtMs;
  }

  #applied(
    read: ReadRule,
    stream: Watched,
    before: Alert,
    { memory, transitions }: Stepped,
  ): Alert {
    let alert: Alert = { ...before, memory };
    for (const [index, transition] of transitions.entries()) {
      const isLast = index === transitions.length - 1;
      // Of what came and went between two looks, only what was told is worth remembering.
      if (!isLast && (transition.phase === 'pending' || transition.phase === 'ok')) continue;
      if (transition.phase === 'firing')
        alert = { ...alert, incident: randomUUID(), isAnnounced: false };
      const seq = this.#remember(read, stream, { transition, incident: alert.incident });
      if (transition.phase === 'firing')
        alert = this.#announcedAt({ ...alert, seq }, { read, stream, transition });
      if (transition.phase === 'resolved') this.#tellEnd(alert, { read, stream, transition, seq });
    }
    return alert;
  }

  /** An alert that fires behind a silence is told when that is over. */
  #announced(read: ReadRule, stream: Watched, alert: Alert): Alert {
    const { phase, sinceMs, value } = alert.memory;
    if (phase !== 'firing' || alert.isAnnounced) return alert;
    const transition: Transition = { phase, atMs: sinceMs, value };
    return this.#announcedAt(alert, { read, stream, transition });
  }

  #announcedAt(
    alert: Alert,
    { read, stream, transition }: { read: ReadRule; stream: Watched; transition: Transition },
  ): Alert {
    if (this.#isSilent(read, stream)) return alert;
    this.#tell('firing', { read, stream, transition, incident: alert.incident!, seq: alert.seq });
    return { ...alert, isAnnounced: true };
  }

  /** Whoever was not told of the beginning is not told of the end. */
  #tellEnd(
    { isAnnounced, incident }: Pick<Alert, 'isAnnounced' | 'incident'>,
    {
      read,
      stream,
      transition,
      seq,
    }: { read: ReadRule; stream: Watched; transition: Transition; seq: number },
  ): void {
    if (!isAnnounced || incident === null || !read.definition.notifyResolved) return;
    if (this.#isSilent(read, stream)) return;
    this.#tell('resolved', { read, stream, transition, incident, seq });
  }

  #tell(
    event: 'firing' | 'resolved',
    {
      read,
      stream,
      transition,
      incident,
      seq,
    }: {
      read: ReadRule;
      stream: Watched;
      transition: Transition;
      incident: string;
      seq: number;
    },
  ): void {
    const { rule, definition } = read;
    const { atMs, value } = transition;
    const message = alertMessage(rule, definition, { event, incident, atMs, value, stream });
    const destinations = definition.destinations.filter((destination) =>
      this.#mayTell(rule.ownerId, destination),
    );
    this.#outbox.add(message, { destinations, seq, nowMs: this.#now().getTime() });
  }

  #close(read: ReadRule, state: AlertState, reason: string): void {
    if (state.state !== 'firing') return;
    const detail = detailOf(state);
    const stream = { id: state.streamId, tags: detail.tags as Tags };
    const transition: Transition = {
      phase: 'resolved',
      atMs: this.#now().getTime(),
      value: detail.value,
    };
    const seq = this.#remember(read, stream, { transition, incident: detail.incident, reason });
    this.#tellEnd(detail, { read, stream, transition, seq });
  }

  #remember(
    { rule }: ReadRule,
    stream: Watched,
    {
      transition: { phase, atMs, value },
      incident,
      reason = null,
    }: {
      transition: Transition;
      incident: string | null;
      reason?: string | null;
    },
  ): number {
    return this.#state.alertHistory.append({
      atMs: this.#now().getTime(),
      ruleId: rule.id,
      streamId: stream.id,
      state: phase,
      detail: { ruleName: rule.name, at: atMs, value, incident, reason, tags: stream.tags } as Json,
    });
  }

  #isSilent({ rule }: ReadRule, stream: Watched): boolean {
    return this.#silences.isSilent(rule.id, stream.id, this.#now().getTime());
  }
}

function isSame(before: Alert, after: Alert): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
