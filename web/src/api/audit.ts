import { type Query, request } from './client.ts';
import type { Json } from './types.ts';

export interface AuditEntry {
  readonly seq: number;
  readonly at: string;
  readonly actor: { readonly name: string; readonly address: string | null };
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string; readonly name: string | null };
  readonly before: Json;
  readonly after: Json;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Cursor of what is older; null at the end. */
  readonly next: string | null;
}

export const readAudit = (query: Query, signal?: AbortSignal): Promise<AuditPage> =>
  request('GET', '/audit', { signal, query: { limit: 100, ...query } });
