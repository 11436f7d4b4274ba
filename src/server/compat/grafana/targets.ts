import type { Stream } from '../../../api/types.ts';
import { valueText } from '../../../text/exact-json.ts';
import { Problem } from '../../http/problem.ts';
import { readVisible } from '../../http/stream-search.ts';
import { TagFilter } from '../../http/tag-filter.ts';
import { streamFor, type Viewer } from '../../http/viewer.ts';
import type { Service } from '../../service.ts';

const ID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const PREFIX = 'tags__';
/** Tags that give a stream its name, the first one that is there. */
const NAME_TAGS = ['title', 'name', 'series'];

/** Filters of a dashboard, by the operators that Grafana has for them. */
const FILTER_SUFFIXES: Readonly<Record<string, string>> = {
  '=': '',
  '!=': '__ne',
  '<': '__lt',
  '>': '__gt',
};

/** A filter of a whole dashboard. */
export interface AdhocFilter {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
}

/** What a stream is called in legends and lists. */
export function streamName({ id, tags }: Pick<Stream, 'id' | 'tags'>): string {
  for (const name of NAME_TAGS) {
    const tag = Object.hasOwn(tags, name) ? tags[name] : undefined;
    if (typeof tag === 'string' && tag !== '') return tag;
  }
  const pairs = Object.entries(tags).map(([name, tag]) => `${name}=${valueText(tag)}`);
  return pairs.length === 0 ? id : pairs.join(' ');
}

/**
 * The streams that a target means: one by its id, or those with tags as in `site=a&metric__in=rx,tx`.
 * @throws {StreamNotFound} {Problem} 400
 */
export async function streamsOfTarget(
  { datastream }: Pick<Service, 'datastream'>,
  {
    target,
    filters,
    viewer,
    limit,
  }: {
    readonly target: string;
    readonly filters: readonly AdhocFilter[];
    readonly viewer: Viewer;
    readonly limit: number;
  },
): Promise<readonly Stream[]> {
  const text = target.trim();
  const dashboard = filterParameters(filters);
  if (ID.test(text)) {
    const stream = await streamFor({ datastream, viewer }, text.toLowerCase(), 'view');
    return TagFilter.parse(dashboard).matches(stream.tags) ? [stream] : [];
  }
  // Both have to hold, also where they are about one tag.
  const own = TagFilter.parse(targetParameters(text));
  const shared = TagFilter.parse(dashboard);
  const filter = {
    query: own.query,
    matches: (tags: Stream['tags']) => own.matches(tags) && shared.matches(tags),
  };
  const { streams } = await readVisible(datastream, {
    filter,
    text: null,
    viewer,
    after: undefined,
    offset: 0,
    limit,
  });
  return streams;
}

/** Parameters as `TagFilter` has them, of a target: the prefix of their names may be left out. */
function targetParameters(text: string): Readonly<Record<string, readonly string[]>> {
  if (text === '' || text === '*') return {};
  if (!text.includes('=')) {
    throw new Problem(
      400,
      `target: expected the id of a stream, * for all, or tags as in site=a&metric__in=rx,tx, not ${JSON.stringify(text.slice(0, 100))}.`,
      { field: 'target' },
    );
  }
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const full = name.startsWith(PREFIX) ? name : `${PREFIX}${name}`;
    parameters.set(full, [...(parameters.get(full) ?? []), value]);
  }
  return Object.fromEntries(parameters);
}

/** @throws {Problem} 400 for an operator that is not known. */
function filterParameters(filters: readonly AdhocFilter[]): Readonly<Record<string, string>> {
  const parameters = filters.map(({ key, operator, value }) => {
    const suffix = Object.hasOwn(FILTER_SUFFIXES, operator) ? FILTER_SUFFIXES[operator]! : null;
    if (suffix !== null) return [`${PREFIX}${key}${suffix}`, value] as const;
    const known = Object.keys(FILTER_SUFFIXES).join(' ');
    throw new Problem(
      400,
      `adhocFilters: expected one of the operators ${known}, not ${JSON.stringify(operator)}.`,
      { field: 'adhocFilters' },
    );
  });
  return Object.fromEntries(parameters);
}
