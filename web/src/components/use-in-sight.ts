import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** What is so near to the window counts as seen, so that a scroll shows it at once. */
const MARGIN_PX = 500;

const listeners = new WeakMap<Element, (isInSight: boolean) => void>();
let observer: IntersectionObserver | null = null;

/** Whether an element is where a person can see it, or nearly. */
export function useInSight(element: RefObject<Element | null>): boolean {
  const [isInSight, setInSight] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    // One for all: a page may have thousands of charts.
    observer ??= new IntersectionObserver(
      (entries) => {
        for (const entry of entries) listeners.get(entry.target)?.(entry.isIntersecting);
      },
      { rootMargin: `${MARGIN_PX}px 0px` },
    );
    listeners.set(target, setInSight);
    observer.observe(target);
    return () => {
      listeners.delete(target);
      observer?.unobserve(target);
    };
  }, [element]);
  return isInSight;
}
