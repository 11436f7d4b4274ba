/**
 * Lets timers, signals and messages have their turn. A store in this process answers at once, so that long
 * work on it would otherwise keep everything else, Ctrl-C too, waiting for its end.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
