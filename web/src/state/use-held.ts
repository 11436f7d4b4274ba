import { useRef } from 'preact/hooks';

/** The value; while it is held the one from before, whatever answers that were under way bring. */
export function useHeld<T>(value: T, isHeld: boolean): T {
  const held = useRef(value);
  if (!isHeld) held.current = value;
  return held.current;
}
