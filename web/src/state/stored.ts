/** What this browser remembers. Where it may not, everything works without. */
export function readStored<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`datastream.${name}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function writeStored(name: string, value: unknown): void {
  try {
    localStorage.setItem(`datastream.${name}`, JSON.stringify(value));
  } catch {
    // A private window refuses; the choice then holds until the page is closed.
  }
}
