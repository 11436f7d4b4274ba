import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { isReachable } from '../state/connection.ts';
import { loadSession } from '../state/session.ts';
import { useObservable } from '../state/use-observable.ts';

const RETRY_MS = 3000;

/** Says that the service is away, and asks until it is back. */
export function ReachabilityBanner(): JSX.Element {
  const reachable = useObservable(isReachable);
  useEffect(() => {
    if (reachable) return;
    const timer = setInterval(() => void loadSession().catch(() => undefined), RETRY_MS);
    return () => clearInterval(timer);
  }, [reachable]);
  return (
    <div role="status" aria-live="polite">
      {!reachable && (
        <p class="banner">
          The service cannot be reached. What you see is from before; it is asked again every few
          seconds.
        </p>
      )}
    </div>
  );
}
