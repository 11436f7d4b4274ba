import type { Json } from '../../model/tags.ts';
import type { LogPage } from '../state/event-log.ts';
import type { AuditEntry } from '../state/records/audit-entry.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Identity } from './identity.ts';

/** Who makes a change, and from which network address; null: this host itself. */
export interface Actor {
  readonly identity: Identity;
  readonly address: string | null;
}

/** One change, in words and values without secrets. */
export interface AuditedChange {
  /** Such as `user.add`. */
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string; readonly name?: string | null };
  readonly before?: Json;
  readonly after?: Json;
}

/** The log of who changed what. */
export class Audit {
  readonly #state: StateStore;
  readonly #now: () => Date;

  constructor(state: StateStore, { now }: { readonly now: () => Date }) {
    this.#state = state;
    this.#now = now;
  }

  /** Notes a change; within `state.write` it is stored with the change, or not at all. */
  record(change: AuditedChange, { identity, address }: Actor): void {
    const { kind, userId, name } = identity;
    this.#state.audit.append({
      atMs: this.#now().getTime(),
      actor: { kind, userId, name, address },
      action: change.action,
      target: { name: null, ...change.target },
      before: change.before ?? null,
      after: change.after ?? null,
    });
  }

  /** Entries, newest first; `beforeSeq` is where the page before it ended. */
  page(options: {
    readonly beforeSeq?: number | undefined;
    readonly limit: number;
    readonly sinceMs?: number | undefined;
    readonly matches?: (entry: AuditEntry) => boolean;
  }): LogPage<AuditEntry> {
    return this.#state.audit.page(options);
  }
}
