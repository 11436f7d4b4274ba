import { useEffect, useState } from 'preact/hooks';
import type { Observable } from './observable.ts';

/** The value, and a new rendering with each change of it. */
export function useObservable<T>(observable: Observable<T>): T {
  const [value, setValue] = useState(observable.value);
  useEffect(() => {
    setValue(() => observable.value);
    return observable.subscribe((next) => setValue(() => next));
  }, [observable]);
  return value;
}
