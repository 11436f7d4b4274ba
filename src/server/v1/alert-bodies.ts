import { type AlertDetail, detailOf } from '../alerts/alert-detail.ts';
import type { AlertMessage } from '../alerts/alert-message.ts';
import { readRule } from '../alerts/evaluator.ts';
import { isoOf } from '../http/iso.ts';
import type { Service } from '../service.ts';
import type { Logged } from '../state/event-log.ts';
import type { AlertEvent, AlertRule, AlertState } from '../state/records/alert.ts';
import type { AlertDelivery } from '../state/records/alert-delivery.ts';
import type { AlertBody, AlertEventBody, RuleBody } from './schemas/alerts.ts';

type JsonBody = RuleBody['target'];

/** A rule for its owner, who sees where its messages go. */
export function ruleBody(rule: AlertRule, { alerts, state, now }: Service): RuleBody {
  const { definition } = readRule(rule);
  const states: Record<string, number> = {};
  for (const alert of state.alertStates.find('rule', rule.id)) {
    states[alert.state] = (states[alert.state] ?? 0) + 1;
  }
  return {
    id: rule.id,
    name: rule.name,
    isEnabled: rule.isEnabled,
    ownerId: rule.ownerId,
    ...(definition as typeof definition &
      Record<'target' | 'condition' | 'destinations', JsonBody>),
    createdAt: isoOf(rule.createdAtMs),
    updatedAt: isoOf(rule.updatedAtMs),
    silences: alerts.silences
      .ofRule(rule.id, now().getTime())
      .map(({ streamId, untilMs, by, reason }) => ({
        stream: streamId,
        until: isoOf(untilMs),
        by,
        reason,
      })),
    states,
  };
}

/** An alert for everybody who may see its stream. */
export function alertBody(alert: AlertState, rule: AlertRule, { alerts, now }: Service): AlertBody {
  const { value, tags }: AlertDetail = detailOf(alert);
  const { severity } = readRule(rule).definition;
  return {
    rule: { id: rule.id, name: rule.name, severity },
    stream: alert.streamId,
    tags,
    state: alert.state as AlertBody['state'],
    since: isoOf(alert.sinceMs),
    value,
    isSilenced: alerts.silences.isSilent(rule.id, alert.streamId, now().getTime()),
  };
}

export function eventBody({
  seq,
  atMs,
  ruleId,
  streamId,
  state,
  detail,
}: Logged<AlertEvent>): AlertEventBody {
  return { seq, at: isoOf(atMs), ruleId, stream: streamId, state, detail: detail as JsonBody };
}

export function deliveryBody(delivery: AlertDelivery) {
  const { id, destination, outcome, createdAtMs, endedAtMs, tryCount, lastError, nextTryMs } =
    delivery;
  const { event, stream } = delivery.message as unknown as AlertMessage;
  return {
    id,
    destination: destination as JsonBody,
    event,
    stream: stream?.id ?? null,
    outcome,
    createdAt: isoOf(createdAtMs),
    endedAt: endedAtMs === null ? null : isoOf(endedAtMs),
    tryCount,
    lastError,
    nextTry: outcome === 'waiting' ? isoOf(nextTryMs) : null,
  };
}
