const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+$/;

/**
 * Reads a length of time such as `500ms`, `10s`, `5m`, `1h30m`, `30d`, `2w` or `1y` (365 days), in
 * milliseconds. Null when it is none, or nothing.
 */
export function durationOf(text: string): number | null {
  if (!DURATION.test(text)) return null;
  let durationMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)) {
    durationMs += Number(amount) * UNIT_MS[unit!]!;
  }
  return durationMs > 0 && Number.isFinite(durationMs) ? durationMs : null;
}

/** From the largest; weeks are written as days. */
const WRITTEN_UNITS = ['y', 'd', 'h', 'm', 's', 'ms'] as const;

/** Writes a length of time as `durationOf` reads it, in the largest units. */
export function durationText(durationMs: number): string {
  let restMs = durationMs;
  let text = '';
  for (const unit of WRITTEN_UNITS) {
    const unitMs = UNIT_MS[unit]!;
    const amount = unit === 'ms' ? restMs : Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text;
}
