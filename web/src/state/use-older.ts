import { useState } from 'preact/hooks';
import { type HeldPages, joinedPages, type ListPage } from './joined-pages.ts';
import { useAction } from './use-action.ts';
import { useRequest } from './use-request.ts';

export interface OlderState<T> {
  /** Newest first; null before the first answer. */
  readonly items: readonly T[] | null;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly hasOlder: boolean;
  readonly readOlder: () => void;
  readonly reload: () => void;
}

/**
 * A list whose newest page is asked for as by `useRequest`, and older ones when somebody wants them, which then stay
 * as long as the newest page goes on where they end.
 */
export function useOlder<T extends { readonly seq: number }>(
  ask: (cursor: string | null, signal?: AbortSignal) => Promise<ListPage<T>>,
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
  const [held, setHeld] = useState<HeldPages<T> | null>(null);
  const shown = newest.data && joinedPages(newest.data, held);
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
