import { useRef, useState } from 'preact/hooks';

export interface Action<Given extends readonly unknown[]> {
  readonly run: (...given: Given) => Promise<boolean>;
  readonly isRunning: boolean;
  /** Of the last run; null when it succeeded. */
  readonly error: unknown;
}

/** Something that a person starts: it does not run twice at once, and what went wrong stays until the next run. */
export function useAction<Given extends readonly unknown[]>(
  act: (...given: Given) => Promise<unknown>,
): Action<Given> {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isBusy = useRef(false);
  const run = async (...given: Given): Promise<boolean> => {
    if (isBusy.current) return false;
    isBusy.current = true;
    setRunning(true);
    try {
      await act(...given);
      setError(null);
      return true;
    } catch (reason) {
      setError(reason);
      return false;
    } finally {
      isBusy.current = false;
      setRunning(false);
    }
  };
  return { run, isRunning, error };
}
