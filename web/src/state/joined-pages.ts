/** A page of a list, newest first. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Cursor of what is older; null at the end. */
  readonly next: string | null;
}

/** What was shown when somebody asked for more, with that. */
export interface HeldPages<T> extends ListPage<T> {
  readonly listKey: string;
}

/**
 * The newest page with what was read behind it, of the same list. Without an item that both have, some between them may
 * be missing: what is behind is dropped then.
 */
export function joinedPages<T extends { readonly seq: number }>(
  newest: HeldPages<T>,
  held: HeldPages<T> | null,
): ListPage<T> {
  if (held === null || held.listKey !== newest.listKey) return newest;
  const known = new Set(newest.items.map(({ seq }) => seq));
  if (!held.items.some(({ seq }) => known.has(seq))) return newest;
  const older = held.items.filter(({ seq }) => !known.has(seq));
  return { items: [...newest.items, ...older], next: held.next };
}
