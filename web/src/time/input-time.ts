import { pad2 } from './time-text.ts';
import { fieldsOf, instantOfLocal, localMs } from './zone.ts';

/** An instant as an input of date and time shows it, by the clock of the zone. */
export function inputText(instantMs: number, zone: string): string {
  const { year, month, day, hour, minute, second } = fieldsOf(localMs(instantMs, zone));
  const date = `${String(year).padStart(4, '0')}-${pad2(month)}-${pad2(day)}`;
  return `${date}T${pad2(hour)}:${pad2(minute)}:${pad2(second)}`;
}

/** What such an input says; null when it says nothing. */
export function instantOfInput(text: string, zone: string): number | null {
  const shownMs = Date.parse(`${text}Z`);
  return Number.isNaN(shownMs) ? null : instantOfLocal(shownMs, zone);
}
