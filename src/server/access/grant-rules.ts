import { canonicalJson, matchesTags, type Tags } from '../../model/tags.ts';
import { GRANT_PERMISSIONS, type GrantPermission } from '../state/permissions.ts';
import type { Grant } from '../state/records/grant.ts';

/** Permissions as bits. */
export type PermissionMask = number;

export const NO_PERMISSION: PermissionMask = 0;

export function maskOf(permissions: readonly GrantPermission[]): PermissionMask {
  return permissions.reduce(
    (mask, permission) => mask | (1 << GRANT_PERMISSIONS.indexOf(permission)),
    NO_PERMISSION,
  );
}

/** The grants of one identity, laid out so that thousands of streams are decided quickly. */
export class GrantRules {
  readonly #everywhere: PermissionMask;
  readonly #byStream: ReadonlyMap<string, PermissionMask>;
  readonly #queries: readonly { readonly tags: Tags; readonly mask: PermissionMask }[];

  constructor(grants: readonly Grant[], everywhere: PermissionMask) {
    const byStream = new Map<string, PermissionMask>();
    const byQuery = new Map<string, { readonly tags: Tags; readonly mask: PermissionMask }>();
    let onAll = everywhere;
    for (const { permissions, target } of grants) {
      const mask = maskOf(permissions);
      if (target.kind === 'stream') {
        byStream.set(target.streamId, mask | (byStream.get(target.streamId) ?? NO_PERMISSION));
      } else if (Object.keys(target.tags).length === 0) {
        onAll |= mask;
      } else {
        const key = canonicalJson(target.tags);
        byQuery.set(key, { tags: target.tags, mask: mask | (byQuery.get(key)?.mask ?? 0) });
      }
    }
    this.#everywhere = onAll;
    this.#byStream = byStream;
    this.#queries = [...byQuery.values()];
  }

  /** Whether all of the wanted permissions are granted on a stream; without an id, on all that have the tags. */
  allows(
    wanted: PermissionMask,
    { id, tags }: { readonly id: string | null; readonly tags: Tags },
  ): boolean {
    let missing = wanted & ~this.#everywhere;
    if (missing !== 0 && id !== null) missing &= ~(this.#byStream.get(id) ?? NO_PERMISSION);
    for (const query of this.#queries) {
      if (missing === 0) break;
      // Where nothing of the query is missing, its tags need no look.
      if ((missing & query.mask) !== 0 && matchesTags(tags, query.tags)) missing &= ~query.mask;
    }
    return missing === 0;
  }

  /** Whether any of the wanted permissions is granted on anything. */
  allowsAnything(wanted: PermissionMask): boolean {
    const masks = [...this.#byStream.values(), ...this.#queries.map(({ mask }) => mask)];
    return [this.#everywhere, ...masks].some((mask) => (mask & wanted) !== 0);
  }
}
