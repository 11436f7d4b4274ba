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
  /** How many streams are in which state. */
  readonly states: Readonly<Record<string, number>>;
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

export const readAlerts = async (signal?: AbortSignal): Promise<readonly Alert[]> =>
  itemsOf(await request('GET', '/alerts', { signal }), 'alerts');

export const readAlertHistory = async (signal?: AbortSignal): Promise<readonly AlertEvent[]> =>
  itemsOf(await request('GET', '/alerts/history', { signal }), 'events');

export const createAlertRule = (body: { readonly [name: string]: Json }): Promise<unknown> =>
  request('POST', '/alerts/rules', { body });

export const enableAlertRule = (rule: AlertRule, isEnabled: boolean): Promise<unknown> => {
  const { name, description, severity, target, condition, destinations, notifyResolved } = rule;
  const input = { name, description, severity, target, condition, destinations, notifyResolved };
  return request('PUT', `/alerts/rules/${rule.id}`, { body: { ...input, isEnabled } });
};

export const deleteAlertRule = (id: string): Promise<void> =>
  request('DELETE', `/alerts/rules/${id}`);
