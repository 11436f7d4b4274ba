/** An instant as ISO 8601. */
export function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Null stays null. */
export function isoOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : isoOf(timeMs);
}
