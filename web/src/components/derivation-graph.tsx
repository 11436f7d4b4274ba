import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { type LayoutEdge, layeredLayout } from '../chart/layered-layout.ts';
import { derivationLag } from '../format/derivation-lag.ts';
import { streamTitle } from '../format/stream-title.ts';
import { durationText } from '../time/time-text.ts';

const NODE = { width: 210, height: 46, gapX: 64, gapY: 14 };
const MARGIN = 8;
const TITLE_LENGTH_MAX = 27;

/** Streams as boxes that lead to their pages, with lines from sources to what is derived from them. */
export function DerivationGraph({
  streams,
  edges,
  focus,
}: {
  readonly streams: readonly StreamInfo[];
  readonly edges: readonly LayoutEdge[];
  readonly focus: string | null;
}): JSX.Element {
  const byId = useMemo(() => new Map(streams.map((stream) => [stream.id, stream])), [streams]);
  const nodes = useMemo(() => layeredLayout([...byId.keys()], edges), [byId, edges]);
  const places = new Map(
    nodes.map(({ id, layer, row }) => [
      id,
      {
        x: MARGIN + layer * (NODE.width + NODE.gapX),
        y: MARGIN + row * (NODE.height + NODE.gapY),
      },
    ]),
  );
  const width =
    MARGIN * 2 +
    extent(
      nodes.map(({ layer }) => layer),
      NODE.width,
      NODE.gapX,
    );
  const height =
    MARGIN * 2 +
    extent(
      nodes.map(({ row }) => row),
      NODE.height,
      NODE.gapY,
    );
  return (
    <section class="panel derivations" aria-label="Graph of derivations">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>Streams, from sources on the left to what is derived from them</title>
        {edges.map(({ from, to }) => {
          const start = places.get(from);
          const end = places.get(to);
          if (start === undefined || end === undefined) return null;
          return <path key={`${from} ${to}`} class="edge" d={edgePath(start, end)} />;
        })}
        {nodes.map(({ id }) => (
          <Box key={id} stream={byId.get(id)!} place={places.get(id)!} byId={byId} focus={focus} />
        ))}
      </svg>
    </section>
  );
}

function Box({
  stream,
  place: { x, y },
  byId,
  focus,
}: {
  readonly stream: StreamInfo;
  readonly place: { readonly x: number; readonly y: number };
  readonly byId: ReadonlyMap<string, StreamInfo>;
  readonly focus: string | null;
}): JSX.Element {
  const title = streamTitle(stream);
  const lagMs = derivationLag(stream, byId);
  const state =
    lagMs === null
      ? ''
      : lagMs === Number.POSITIVE_INFINITY
        ? 'to be derived'
        : `${durationText(lagMs)} behind`;
  const hiddenCount = stream.derivedFrom?.sources.filter((source) => source.stream === null).length;
  const what = [
    stream.derivedFrom?.op ?? 'source',
    ...(hiddenCount ? [`${hiddenCount} hidden ${hiddenCount === 1 ? 'source' : 'sources'}`] : []),
  ].join(' · ');
  const classes = [lagMs === null ? '' : 'pending', stream.id === focus ? 'focused' : ''];
  return (
    <a href={`/streams/${stream.id}`} class={classes.join(' ').trim()}>
      <title>{`${title}: ${what}${state === '' ? '' : `, ${state}`}`}</title>
      <rect x={x} y={y} width={NODE.width} height={NODE.height} rx={5} />
      <text x={x + 11} y={y + 19}>
        {title.length > TITLE_LENGTH_MAX ? `${title.slice(0, TITLE_LENGTH_MAX - 1)}…` : title}
      </text>
      <text class="sub" x={x + 11} y={y + 36}>
        {[what, state].filter((part) => part !== '').join(' · ')}
      </text>
    </a>
  );
}

function edgePath(
  start: { readonly x: number; readonly y: number },
  end: { readonly x: number; readonly y: number },
): string {
  const fromX = start.x + NODE.width;
  const fromY = start.y + NODE.height / 2;
  const toY = end.y + NODE.height / 2;
  const bend = Math.max(NODE.gapX / 2, (end.x - fromX) / 2);
  return `M${fromX} ${fromY}C${fromX + bend} ${fromY} ${end.x - bend} ${toY} ${end.x} ${toY}`;
}

function extent(indices: readonly number[], size: number, gap: number): number {
  const count = 1 + indices.reduce((a, b) => Math.max(a, b), 0);
  return count * size + (count - 1) * gap;
}
