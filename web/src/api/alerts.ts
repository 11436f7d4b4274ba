import { request } from './client.ts';
import { itemsOf } from './items-of.ts';
import type { Json } from './types.ts';

export interface AlertRule {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly definition?: Json;
}

/** Where one stream stands by one rule. */
export interface AlertState {
  readonly ruleId: string;
  readonly streamId: string;
  readonly state: string;
  readonly since: string;
  readonly detail?: Json;
}

/** A change of a state. */
export interface AlertEvent {
  readonly at: string;
  readonly ruleId: string;
  readonly streamId: string;
  readonly state: string;
  readonly detail?: Json;
}

export const readAlertRules = async (signal?: AbortSignal): Promise<readonly AlertRule[]> =>
  itemsOf(await request('GET', '/alerts', { signal }), 'rules');

export const readAlertStates = async (signal?: AbortSignal): Promise<readonly AlertState[]> =>
  itemsOf(await request('GET', '/alerts/states', { signal }), 'states');

export const readAlertHistory = async (signal?: AbortSignal): Promise<readonly AlertEvent[]> =>
  itemsOf(await request('GET', '/alerts/history', { signal }), 'events');

export const createAlertRule = (body: { name: string; definition: Json }): Promise<unknown> =>
  request('POST', '/alerts', { body });

export const enableAlertRule = (id: string, isEnabled: boolean): Promise<unknown> =>
  request('PATCH', `/alerts/${id}`, { body: { isEnabled } });

export const deleteAlertRule = (id: string): Promise<void> => request('DELETE', `/alerts/${id}`);
