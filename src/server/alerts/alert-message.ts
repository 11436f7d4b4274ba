import type { Tags } from '../../model/tags.ts';
import type { AlertRule } from '../state/records/alert.ts';
import type { RuleDefinition } from './rule-definition.ts';

/** What destinations are told; the body of webhooks. */
export interface AlertMessage {
  readonly event: 'firing' | 'resolved' | 'test';
  /** One from raising to clearing, of one stream by one rule. */
  readonly incident: string;
  readonly at: string;
  readonly rule: {
    readonly id: string;
    readonly name: string;
    readonly severity: string;
    readonly description: string;
  };
  /** Null in tests. */
  readonly stream: { readonly id: string; readonly tags: Tags } | null;
  readonly value: number | null;
  /** What happened, for people. */
  readonly text: string;
}

export interface Happening {
  readonly event: AlertMessage['event'];
  readonly incident: string;
  readonly atMs: number;
  readonly value: number | null;
  readonly stream: { readonly id: string; readonly tags: Tags } | null;
}

export function alertMessage(
  { id, name }: AlertRule,
  { severity, description, condition }: RuleDefinition,
  { event, incident, atMs, value, stream }: Happening,
): AlertMessage {
  const what = stream === null ? 'no stream' : JSON.stringify(stream.tags);
  const ending = event === 'test' ? 'This is a test.' : `${conditionText(condition)}: ${event}.`;
  const shown = value === null ? '' : ` Value: ${value}.`;
  return {
    event,
    incident,
    at: new Date(atMs).toISOString(),
    rule: { id, name, severity, description },
    stream: stream && { id: stream.id, tags: stream.tags },
    value,
    text: `${name}, ${what}: ${ending}${shown}`,
  };
}

function conditionText(condition: RuleDefinition['condition']): string {
  if (condition.kind === 'stale') return `no datapoint for ${condition.after}`;
  const { level, valueDownsampler, above, below } = condition;
  const subject = level === 'raw' ? 'values' : `${valueDownsampler} of ${level}`;
  const limit = above === undefined ? `below ${below}` : `above ${above}`;
  return `${subject} ${limit}${condition.for === undefined ? '' : ` for ${condition.for}`}`;
}
