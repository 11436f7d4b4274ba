import { z } from 'zod';
import type { Json, Tags } from '../../model/tags.ts';
import type { AlertState } from '../state/records/alert.ts';
import { jsonSchema } from '../state/records/json.ts';
import type { AlertMemory, AlertPhase } from './alert-machine.ts';

/** What is kept of an alert beside its phase. */
const detailSchema = z.object({
  /** Grows with each change: whoever computed from an older one was late. */
  revision: z.int(),
  /** Of the condition that it was computed by. */
  conditionHash: z.string(),
  value: z.number().nullable(),
  seenMs: z.number().nullable(),
  /** From raising to clearing. */
  incident: z.string().nullable(),
  /** Place of the last raising in the history. */
  seq: z.int(),
  /** Whether destinations were told of the incident. */
  isAnnounced: z.boolean(),
  tags: z.record(z.string(), jsonSchema),
});

export type AlertDetail = z.output<typeof detailSchema>;

/** An alert as the evaluation knows it. */
export interface Alert extends Omit<AlertDetail, 'tags' | 'value' | 'seenMs'> {
  readonly memory: AlertMemory;
}

export function alertStateId(ruleId: string, streamId: string): string {
  return `${ruleId} ${streamId}`;
}

export function detailOf({ detail }: AlertState): AlertDetail {
  return detailSchema.parse(detail);
}

/** Null where it was computed by another condition. */
export function alertOf(state: AlertState, conditionHash: string): Alert | null {
  const detail = detailOf(state);
  if (detail.conditionHash !== conditionHash) return null;
  const { value, seenMs, tags: _, ...rest } = detail;
  const phase = state.state as AlertPhase;
  return { ...rest, memory: { phase, sinceMs: state.sinceMs, value, seenMs } };
}

/** An alert that was never looked at. */
export function newAlert(conditionHash: string, nowMs: number): Alert {
  return {
    revision: 0,
    conditionHash,
    incident: null,
    seq: 0,
    isAnnounced: false,
    memory: { phase: 'ok', sinceMs: nowMs, value: null, seenMs: null },
  };
}

/** As it is stored. */
export function stateOf(
  alert: Alert,
  { ruleId, streamId, tags }: { ruleId: string; streamId: string; tags: Tags },
): AlertState {
  const { memory, ...detail } = alert;
  const { phase, sinceMs, value, seenMs } = memory;
  return {
    id: alertStateId(ruleId, streamId),
    ruleId,
    streamId,
    state: phase,
    sinceMs,
    detail: { ...detail, value, seenMs, tags } as Json,
  };
}
