import type { Parameters } from './parameters.ts';

export interface PageMeta {
  readonly total_count: number;
  readonly limit: number;
  readonly offset: number;
  readonly next: string | null;
  readonly previous: string | null;
}

/** What stands beside a page of a list; links keep all parameters. */
export function pageMeta({
  path,
  parameters,
  totalCount,
  limit,
  offset,
}: {
  readonly path: string;
  readonly parameters: Parameters;
  readonly totalCount: number;
  readonly limit: number;
  readonly offset: number;
}): PageMeta {
  const link = (page: { limit: number; offset: number }): string => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (name === 'limit' || name === 'offset') continue;
      for (const item of Array.isArray(value) ? value : [value]) query.append(name, String(item));
    }
    query.set('limit', String(page.limit));
    query.set('offset', String(page.offset));
    return `${path}?${query}`;
  };
  const hasNext = limit > 0 && offset + limit < totalCount;
  const hasPrevious = limit > 0 && offset > 0;
  return {
    total_count: totalCount,
    limit,
    offset,
    next: hasNext ? link({ limit, offset: offset + limit }) : null,
    // The first page is as long as what is left before this one.
    previous: hasPrevious
      ? link({ limit: Math.min(limit, offset), offset: Math.max(0, offset - limit) })
      : null,
  };
}
