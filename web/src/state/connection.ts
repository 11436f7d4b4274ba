import { Observable } from './observable.ts';

/** Whether the last request reached the service. */
export const isReachable = new Observable(true);

/** Counts how often the service came back: what is shown is read anew then. */
export const returnCount = new Observable(0);

export function setReachable(reachable: boolean): void {
  if (reachable && !isReachable.value) returnCount.set(returnCount.value + 1);
  isReachable.set(reachable);
}
