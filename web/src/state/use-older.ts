import { useState } from 'preact/hooks';
import { useAction } from './use-action.ts';
import { useRequest } from './use-request.ts';

interface Page<T> {
  readonly items: readonly T[];
  /** Cursor of what is older; null at the end. */
  readonly next: string | null;
}

export interface OlderState<T> {
  /** Newest first; null before the first answer. */
  readonly items: readonly T[] | null;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly hasOlder: boolean;
  readonly readOlder: () => void;
  readonly reload: () => void;
}

/** What was shown when somebody asked for more, with that. */
interface Held<T> extends Page<T> {
  readonly listKey: string;
}

/**
 * A list whose newest page is asked for as by `useRequest`, and older ones when somebody wants them, which then stay
 * as long as the newest page goes on where they end.
 */
export function useOlder<T extends { readonly seq: number }>(
  ask: (cursor: string | null, signal?: AbortSignal) => Promise<Page<T>>,
  {
    listKey,
    round = 0,
  }: {
    /** Another one for another list. */
    readonly listKey: string;
    /** Another one: ask again. */
    readonly round?: number;
  },
): OlderState<T> {
  const newest = useRequest(
    async (signal) => ({ ...(await ask(null, signal)), listKey }),
    [listKey, round],
  );
  const [held, setHeld] = useState<Held<T> | null>(null);
  const shown = newest.data && joined(newest.data, held);
  const more = useAction(async () => {
    if (shown === null) return;
    const { items, next } = await ask(shown.next);
    setHeld({ listKey, items: [...shown.items, ...items], next });
  });
  return {
    items: shown?.items ?? null,
    error: newest.error ?? more.error,
    isLoading: newest.isLoading || more.isRunning,
    hasOlder: shown !== null && shown.next !== null,
    readOlder: () => void more.run(),
    reload: newest.reload,
  };
}

function joined<T extends { readonly seq: number }>(
  newest: Held<T>,
  held: Held<T> | null,
): Page<T> {
  if (held === null || held.listKey !== newest.listKey) return newest;
  const known = new Set(newest.items.map(({ seq }) => seq));
  // Without one that both have, some between them may be missing.
  if (!held.items.some(({ seq }) => known.has(seq))) return newest;
  const older = held.items.filter(({ seq }) => !known.has(seq));
  return { items: [...newest.items, ...older], next: held.next };
}
