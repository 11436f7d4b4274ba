import type { SeriesSlot } from './ingest-batch.ts';
import { abbreviate } from './problems.ts';
import { foreignTags, namedSeries, type Series } from './series.ts';

/** Measurement and tags of line protocol. */
export interface LineSeries {
  /** By the name of the field, as it stands in lines. */
  readonly fields: Map<string, SeriesSlot>;
  seriesOf(field: string): Series;
}

/**
 * Takes `measurement,tag=value,…` apart.
 * @returns what is wrong with it, as a text.
 */
export function lineSeriesOf(key: string): LineSeries | string {
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
  const sorted = [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = sorted.map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  const start = [escaped(measurement), ...pairs].join(',');
  return {
    fields: new Map(),
    seriesOf: (field) =>
      namedSeries(`${start} ${escaped(field)}`, {
        tags: foreignTags({ measurement, field }, sorted),
      }),
  };
}

/** The name of a field as it is meant. */
export function unescapedField(text: string): string {
  return unescapedName(text, ',= ');
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
