import { useRef } from 'preact/hooks';

/** The first value that was not null, of whatever comes. */
export function useFirst<T>(value: T | null): T | null {
  const first = useRef(value);
  first.current ??= value;
  return first.current;
}
