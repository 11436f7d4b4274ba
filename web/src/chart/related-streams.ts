import type { StreamInfo } from '../api/types.ts';
import { connectedWith, type LayoutEdge } from './layered-layout.ts';

/**
 * Streams that are derived, or that something is derived from, and the lines between them; with a focus, those that
 * it is connected with. Sources that may not be seen have no line.
 */
export function relatedStreams(
  all: readonly StreamInfo[],
  focus: string | null,
): { readonly streams: readonly StreamInfo[]; readonly edges: readonly LayoutEdge[] } {
  const edges = all.flatMap(({ id, derivedFrom }) =>
    (derivedFrom?.sources ?? []).flatMap(({ stream }) =>
      stream === null ? [] : [{ from: stream, to: id }],
    ),
  );
  const ids = all.map(({ id }) => id);
  const derivedIds = all.filter(({ derivedFrom }) => derivedFrom !== null).map(({ id }) => id);
  const wanted = new Set(
    focus === null
      ? [...derivedIds, ...edges.flatMap(({ from, to }) => [from, to])]
      : connectedWith(focus, ids, edges),
  );
  return { streams: all.filter(({ id }) => wanted.has(id)), edges };
}
