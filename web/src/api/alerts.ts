import { request } from './client.ts';
import { itemsOf } from './items-of.ts';
import type { Json, Tags } from './types.ts';

/** What a rule is made of. */
interface AlertRuleInput {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly description: string;
  readonly severity: string;
  readonly target: Json;
  readonly condition: Json;
  readonly destinations: Json;
  readonly notifyResolved: boolean;
}

export interface AlertRule extends AlertRuleInput {
  readonly id: string;
  readonly createdAt: string;
  readonly silences: readonly Silence[];
  /** How many streams are in which state. */
  readonly states: Readonly<Record<string, number>>;
}

/** For how long nobody is told of a rule. */
export interface Silence {
  /** Null: all streams of the rule. */
  readonly stream: string | null;
  readonly until: string;
  readonly by: string;
  readonly reason: string;
}

/** One message to one place. */
export interface Delivery {
  readonly id: string;
  readonly destination: Json;
  readonly event: string;
  /** Null: of a test. */
  readonly stream: string | null;
  readonly outcome: 'waiting' | 'delivered' | 'failed';
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly tryCount: number;
  /** Why the last try did not work. */
  readonly lastError: string | null;
  readonly nextTry: string | null;
}

/** Where one stream stands by one rule. */
export interface Alert {
  readonly rule: { readonly id: string; readonly name: string; readonly severity: string };
  readonly stream: string;
  readonly tags: Tags;
  readonly state: string;
  readonly since: string;
  readonly value: number | null;
  readonly isSilenced: boolean;
}

/** A change of a state. */
export interface AlertEvent {
  readonly seq: number;
  readonly at: string;
  readonly ruleId: string;
  readonly stream: string;
  readonly state: string;
}

export const readAlertRules = async (signal?: AbortSignal): Promise<readonly AlertRule[]> =>
  itemsOf(await request('GET', '/alerts/rules', { signal }), 'rules');

export const readAlertRule = (id: string, signal?: AbortSignal): Promise<AlertRule> =>
  request('GET', `/alerts/rules/${id}`, { signal });

/** Where streams stand; of a rule, or of all. */
export const readAlerts = async (
  rule: string | null,
  signal?: AbortSignal,
): Promise<readonly Alert[]> =>
  itemsOf(await request('GET', '/alerts', { query: { rule }, signal }), 'alerts');

interface AlertHistoryPage {
  readonly events: readonly AlertEvent[];
  /** Cursor of what is older; null at the end. */
  readonly next: string | null;
}

export const readAlertHistory = (
  query: { readonly rule: string | null; readonly cursor: string | null },
  signal?: AbortSignal,
): Promise<AlertHistoryPage> =>
  request('GET', '/alerts/history', { query: { ...query, limit: 50 }, signal });

export const readDeliveries = async (
  rule: string,
  signal?: AbortSignal,
): Promise<readonly Delivery[]> =>
  itemsOf(await request('GET', `/alerts/rules/${rule}/deliveries`, { signal }), 'deliveries');

/** Sends a message to each place of a rule; what went wrong, by place. */
export const testAlertRule = async (
  rule: string,
): Promise<readonly { readonly destination: Json; readonly error: string | null }[]> =>
  itemsOf(await request('POST', `/alerts/rules/${rule}/test`), 'destinations');

/** `until` is a time, or e.g. `+2h`. */
export const setSilence = (
  rule: string,
  body: { readonly stream: string | null; readonly until: string; readonly reason: string },
): Promise<AlertRule> => request('PUT', `/alerts/rules/${rule}/silence`, { body });

export const liftSilence = (rule: string, stream: string | null): Promise<AlertRule> =>
  request('DELETE', `/alerts/rules/${rule}/silence`, { query: { stream } });

export const createAlertRule = (body: { readonly [name: string]: Json }): Promise<unknown> =>
  request('POST', '/alerts/rules', { body });

export const replaceAlertRule = (
  id: string,
  body: { readonly [name: string]: Json },
): Promise<unknown> => request('PUT', `/alerts/rules/${id}`, { body });

export const enableAlertRule = (id: string, isEnabled: boolean): Promise<unknown> =>
  request('PATCH', `/alerts/rules/${id}`, { body: { isEnabled } });

export const deleteAlertRule = (id: string): Promise<void> =>
  request('DELETE', `/alerts/rules/${id}`);
