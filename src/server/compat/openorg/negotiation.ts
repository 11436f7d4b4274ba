import type { FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.ts';

/** Media types by the short names of formats. */
const MEDIA_TYPES = {
  html: 'text/html',
  json: 'application/json',
  js: 'application/javascript',
  csv: 'text/csv',
  txt: 'text/plain',
  rdf: 'application/rdf+xml',
  nt: 'application/n-triples',
  ttl: 'text/turtle',
  n3: 'text/n3',
} as const;

export type Format = keyof typeof MEDIA_TYPES;

/** Whether a browser opens a page: programs take anything, or name what they want. */
export function wantsPage({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers.accept?.includes('text/html') === true;
}

export function contentTypeOf(format: Format): string {
  return `${MEDIA_TYPES[format]}; charset=utf-8`;
}

/**
 * The format of an answer: the first of the list in the request's query that there is, or the one that its header
 * `Accept` likes best; without both, the first one.
 * @throws {Problem} 406 when there is none.
 */
export function chosenFormat(
  formats: readonly Format[],
  { wanted, accept }: { readonly wanted: string | null; readonly accept: string | undefined },
): Format {
  const chosen = wanted === null ? accepted(formats, accept) : listed(formats, wanted);
  if (chosen !== null) return chosen;
  throw new Problem(406, `There is ${formats.join(', ')}, and nothing else.`, { field: 'format' });
}

function listed(formats: readonly Format[], wanted: string): Format | null {
  const names = wanted.split(',').map((name) => name.trim().toLowerCase());
  for (const name of names) {
    const found = formats.find((format) => format === name || MEDIA_TYPES[format] === name);
    if (found !== undefined) return found;
  }
  return null;
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function accepted(formats: readonly Format[], accept = ''): Format | null {
  const ranges = accept.split(',').flatMap(rangeOf);
  if (ranges.length === 0) return formats[0] ?? null;
  let best: { format: Format; quality: number } | null = null;
  for (const format of formats) {
    const quality = qualityOf(MEDIA_TYPES[format], ranges);
    if (quality > (best?.quality ?? 0)) best = { format, quality };
  }
  return best?.format ?? null;
}

function rangeOf(text: string): readonly Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (type === '') return [];
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return [{ type, quality: quality >= 0 && quality <= 1 ? quality : 0 }];
}

/** What the closest of the ranges says of a type. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  for (const candidate of [type, `${type.split('/', 1)[0]}/*`, '*/*']) {
    const range = ranges.find((one) => one.type === candidate);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
