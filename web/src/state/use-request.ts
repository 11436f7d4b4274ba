import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { returnCount } from './connection.ts';
import { useObservable } from './use-observable.ts';

export interface RequestState<T> {
  /** Of the last request that succeeded; null: there was none. It stays while a new one runs. */
  readonly data: T | null;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/**
 * Asks when the page opens, when `dependencies` change, on `reload`, and when the service was away and is back. An
 * answer that came too late is dropped.
 */
export function useRequest<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
): RequestState<T> {
  const [state, setState] = useState<Omit<RequestState<T>, 'reload'>>({
    data: null,
    error: null,
    isLoading: true,
  });
  const [round, setRound] = useState(0);
  const returns = useObservable(returnCount);
  const latestAsk = useRef(ask);
  latestAsk.current = ask;
  useEffect(() => {
    const controller = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    latestAsk.current(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ data, error: null, isLoading: false });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setState((before) => ({ ...before, error, isLoading: false }));
      },
    );
    return () => controller.abort();
  }, [...dependencies, round, returns]);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  return { ...state, reload };
}
