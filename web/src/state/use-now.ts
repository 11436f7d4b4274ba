import { useEffect, useState } from 'preact/hooks';

/** The time, anew after each interval; the page does not work for it while nobody sees it. */
export function useNow(intervalMs: number, isRunning = true): number {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return;
    const tick = (): void => {
      if (!document.hidden) setNowMs(Date.now());
    };
    tick();
    const timer = setInterval(tick, intervalMs);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [intervalMs, isRunning]);
  return nowMs;
}
