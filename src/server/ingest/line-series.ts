import type { SeriesSlot } from './ingest-batch.ts';
import { abbreviate } from './problems.ts';
import { foreignTags, namedSeries, type Series } from './series.ts';

/** Something with a name as it stands in lines. */
export interface Named {
  readonly bytes: Buffer;
}

/** A field of a measurement with its tags. */
export interface LineField extends Named {
  readonly slot: SeriesSlot;
}

/** Measurement and tags of line protocol. */
export class LineSeries implements Named {
  readonly bytes: Buffer;
  /** By name, as it stands in lines. */
  readonly fields: Map<string, LineField> = new Map();
  /** What stood where in the last line, and in the line behind it: mostly it does so again. */
  readonly lastFields: LineField[] = [];
  next: LineSeries | null = null;
  readonly #start: string;
  readonly #measurement: string;
  readonly #tags: readonly (readonly [name: string, value: string])[];

  constructor(
    bytes: Buffer,
    parts: {
      readonly measurement: string;
      readonly tags: readonly (readonly [name: string, value: string])[];
    },
  ) {
    const { measurement, tags } = parts;
    this.bytes = bytes;
    this.#measurement = measurement;
    this.#tags = [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
    const pairs = this.#tags.map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
    this.#start = [escaped(measurement), ...pairs].join(',');
  }

  /** @param text the name of the field as it stands in lines. */
  seriesOf(text: string): Series {
    const field = unescapedName(text, ',= ');
    return namedSeries(`${this.#start} ${escaped(field)}`, {
      tags: foreignTags({ measurement: this.#measurement, field }, this.#tags),
    });
  }
}

/** Whether the name stands there. */
export function standsAt(bytes: Buffer, at: number, { bytes: name }: Named): boolean {
  if (at + name.length > bytes.length) return false;
  // From the end: names of series mostly begin alike.
  for (let i = name.length - 1; i >= 0; i--) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/**
 * Takes `measurement,tag=value,…` apart.
 * @returns what is wrong with it, as a text.
 */
export function lineSeriesOf(bytes: Buffer): LineSeries | string {
  const key = bytes.toString('utf8');
  const [measurementText, ...tagTexts] = splitAt(key, ',');
  const measurement = unescapedName(measurementText!, ', ');
  if (measurement === '') return 'The line has no measurement before its first comma or space.';
  const tags = new Map<string, string>();
  for (const text of tagTexts) {
    const [name = '', value = '', ...more] = splitAt(text, '=');
    const tag = unescapedName(name, ',= ');
    if (name === '' || value === '' || more.length > 0) {
      return `Expected a tag as name=value, not ${abbreviate(text)}.`;
    }
    if (tags.has(tag)) return `The tag ${abbreviate(tag)} is there twice.`;
    tags.set(tag, unescapedName(value, ',= '));
  }
  // A copy: the bytes are a part of a larger body, which nobody else holds.
  return new LineSeries(Buffer.from(bytes), { measurement, tags: [...tags] });
}

/** Parts between separators that have no backslash before them. */
function splitAt(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

/** A backslash before anything but these characters is a backslash. */
function unescapedName(text: string, special: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/gs, (both, next: string) => (special.includes(next) ? next : both));
}

function escaped(text: string): string {
  return text.replace(/[\\,= ]/g, '\\$&');
}
