import { canonicalJson, matchesTags, type Tags } from '../../model/tags.ts';
import { GRANT_PERMISSIONS, type GrantPermission } from '../state/permissions.ts';
import type { Grant } from '../state/records/grant.ts';

/** Permissions as bits. */
export type PermissionMask = number;

export const NO_PERMISSION: PermissionMask = 0;

/** What permissions are wanted on: a stream, or, without an id, every stream that has the tags. */
export interface WantedOn {
  readonly id: string | null;
  readonly tags: Tags;
}

export function maskOf(permissions: readonly GrantPermission[]): PermissionMask {
  return permissions.reduce(
    (mask, permission) => mask | (1 << GRANT_PERMISSIONS.indexOf(permission)),
    NO_PERMISSION,
  );
}

const ALL_PERMISSIONS: PermissionMask = maskOf(GRANT_PERMISSIONS);

/** All grants of a subject on one target. */
interface Target {
  readonly tags: Tags;
  readonly masks: Map<string, PermissionMask>;
  mask: PermissionMask;
}

const ALL_STREAMS = canonicalJson({});

/** The grants of one subject, laid out so that thousands of streams are decided quickly. */
export class GrantRules {
  readonly #byStream: Map<string, Target> = new Map();
  readonly #byQuery: Map<string, Target> = new Map();
  /** Made when it is needed. */
  #lookup: QueryLookup | null = null;
  #anything: PermissionMask | null = null;

  add({ id, permissions, target }: Grant): void {
    const tags = target.kind === 'query' ? target.tags : {};
    const { targets, key } = this.#place(target);
    const held = targets.get(key) ?? { tags, masks: new Map(), mask: NO_PERMISSION };
    held.masks.set(id, maskOf(permissions));
    this.#put(targets, key, held);
  }

  remove({ id, target }: Grant): void {
    const { targets, key } = this.#place(target);
    const held = targets.get(key);
    if (held === undefined) return;
    held.masks.delete(id);
    this.#put(targets, key, held);
  }

  /** What of the wanted permissions is not granted. */
  missing(wanted: PermissionMask, { id, tags }: WantedOn): PermissionMask {
    let missing = wanted & ~(this.#byQuery.get(ALL_STREAMS)?.mask ?? NO_PERMISSION);
    if (missing !== 0 && id !== null) missing &= ~(this.#byStream.get(id)?.mask ?? NO_PERMISSION);
    if (missing === 0) return missing;
    this.#lookup ??= new QueryLookup([...this.#byQuery.values()]);
    return this.#lookup.missing(missing, tags);
  }

  /** What is granted on it. */
  granted({ id, tags }: WantedOn): PermissionMask {
    return ALL_PERMISSIONS & ~this.missing(ALL_PERMISSIONS, { id, tags });
  }

  /** What is granted on anything at all. */
  get anything(): PermissionMask {
    this.#anything ??= [...this.#byStream.values(), ...this.#byQuery.values()].reduce(
      (all, { mask }) => all | mask,
      NO_PERMISSION,
    );
    return this.#anything;
  }

  #place(target: Grant['target']): { targets: Map<string, Target>; key: string } {
    return target.kind === 'stream'
      ? { targets: this.#byStream, key: target.streamId }
      : { targets: this.#byQuery, key: canonicalJson(target.tags) };
  }

  #put(targets: Map<string, Target>, key: string, held: Target): void {
    held.mask = [...held.masks.values()].reduce((all, mask) => all | mask, NO_PERMISSION);
    if (held.masks.size === 0) targets.delete(key);
    else targets.set(key, held);
    this.#anything = null;
    if (targets === this.#byQuery) this.#lookup = null;
  }
}

/** Finds the queries that tags may match by one plain value of each query, so that most are never looked at. */
class QueryLookup {
  readonly #byValue: Map<string, Map<unknown, Target[]>> = new Map();
  /** Queries that have nothing to be found by. */
  readonly #others: Target[] = [];

  constructor(queries: readonly Target[]) {
    for (const query of queries) this.#add(query);
  }

  missing(wanted: PermissionMask, tags: Tags): PermissionMask {
    let missing = missingOf(this.#others, wanted, tags);
    for (const [key, byValue] of this.#byValue) {
      if (missing === 0) return missing;
      const candidates = Object.hasOwn(tags, key) ? byValue.get(tags[key]) : undefined;
      if (candidates !== undefined) missing = missingOf(candidates, missing, tags);
    }
    return missing;
  }

  #add(query: Target): void {
    const entry = Object.entries(query.tags).find(([, value]) => !isObject(value));
    if (entry === undefined) {
      this.#others.push(query);
      return;
    }
    const [key, value] = entry;
    const byValue = this.#byValue.get(key) ?? new Map<unknown, Target[]>();
    this.#byValue.set(key, byValue);
    byValue.set(value, [...(byValue.get(value) ?? []), query]);
  }
}

function missingOf(queries: readonly Target[], wanted: PermissionMask, tags: Tags): PermissionMask {
  let missing = wanted;
  for (const query of queries) {
    // Where nothing of the query is missing, its tags need no look.
    if ((missing & query.mask) !== 0 && matchesTags(tags, query.tags)) missing &= ~query.mask;
    if (missing === 0) break;
  }
  return missing;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
