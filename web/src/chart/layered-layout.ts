export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
}

export interface LayoutNode {
  readonly id: string;
  /** Column: one behind the farthest source, for a source one before the first stream that needs it. */
  readonly layer: number;
  /** Place within the column, from above. */
  readonly row: number;
}

const SWEEP_COUNT = 6;

/**
 * Places a graph without cycles in columns from sources to what is derived (Sugiyama, Tagawa, Toda, 1981): layers by
 * the longest way, and within a layer the order of the means of the neighbours, so that few edges cross. Groups that
 * have nothing to do with each other lie under each other.
 */
export function layeredLayout(
  ids: readonly string[],
  edges: readonly LayoutEdge[],
): readonly LayoutNode[] {
  const known = new Set(ids);
  const inner = edges.filter(({ from, to }) => known.has(from) && known.has(to));
  const layerOf = layersOf(ids, inner);
  const nodes: LayoutNode[] = [];
  let firstRow = 0;
  for (const group of connectedGroups(ids, inner)) {
    const placed = ordered(group, { edges: inner, layerOf });
    nodes.push(...placed.map((node) => ({ ...node, row: node.row + firstRow })));
    firstRow += Math.max(...placed.map(({ row }) => row)) + 1;
  }
  return nodes;
}

/** The nodes that a node is connected with in either direction, itself too. */
export function connectedWith(
  id: string,
  ids: readonly string[],
  edges: readonly LayoutEdge[],
): readonly string[] {
  return connectedGroups(ids, edges).find((group) => group.includes(id)) ?? [];
}

function layersOf(
  ids: readonly string[],
  edges: readonly LayoutEdge[],
): ReadonlyMap<string, number> {
  const layers = new Map(ids.map((id) => [id, 0]));
  // As many rounds as the longest way has steps; a cycle, which there should not be, ends with the bound.
  for (let round = 0, isMoving = true; isMoving && round < ids.length; round++) {
    isMoving = false;
    for (const { from, to } of edges) {
      const behind = layers.get(from)! + 1;
      if (layers.get(to)! >= behind) continue;
      layers.set(to, behind);
      isMoving = true;
    }
  }
  // A source stands right before the first stream that needs it, so that its edge does not run behind others.
  const derived = new Set(edges.map(({ to }) => to));
  for (const id of ids) {
    const users = edges.filter(({ from }) => from === id).map(({ to }) => layers.get(to)!);
    if (!derived.has(id) && users.length > 0) layers.set(id, Math.min(...users) - 1);
  }
  return layers;
}

function connectedGroups(
  ids: readonly string[],
  edges: readonly LayoutEdge[],
): readonly (readonly string[])[] {
  const neighbours = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { from, to } of edges) {
    neighbours.get(from)?.push(to);
    neighbours.get(to)?.push(from);
  }
  const seen = new Set<string>();
  return ids.flatMap((first) => {
    if (seen.has(first)) return [];
    seen.add(first);
    const group = [first];
    for (const id of group) {
      for (const next of neighbours.get(id)!) {
        if (seen.has(next)) continue;
        seen.add(next);
        group.push(next);
      }
    }
    return [group];
  });
}

function ordered(
  group: readonly string[],
  {
    edges,
    layerOf,
  }: { readonly edges: readonly LayoutEdge[]; readonly layerOf: ReadonlyMap<string, number> },
): readonly LayoutNode[] {
  const layers: string[][] = [];
  for (const id of group) {
    const layer = layerOf.get(id)!;
    while (layers.length <= layer) layers.push([]);
    layers[layer]!.push(id);
  }
  const rows = new Map<string, number>();
  const number = (): void => {
    for (const layer of layers) for (const [row, id] of layer.entries()) rows.set(id, row);
  };
  number();
  const members = new Set(group);
  const own = edges.filter(({ from }) => members.has(from));
  for (let sweep = 0; sweep < SWEEP_COUNT; sweep++) {
    const isForward = sweep % 2 === 0;
    for (const layer of isForward ? layers : [...layers].reverse()) {
      const middle = new Map(
        layer.map((id) => [id, middleOf(id, { edges: own, rows, isForward })]),
      );
      layer.sort((a, b) => middle.get(a)! - middle.get(b)!);
      number();
    }
  }
  return layers.flatMap((ids, layer) => ids.map((id, row) => ({ id, layer, row })));
}

/** Mean row of the neighbours on one side; without any, the row that the node has. */
function middleOf(
  id: string,
  {
    edges,
    rows,
    isForward,
  }: {
    readonly edges: readonly LayoutEdge[];
    readonly rows: ReadonlyMap<string, number>;
    readonly isForward: boolean;
  },
): number {
  const at = edges.flatMap(({ from, to }) => {
    if (isForward) return to === id ? [rows.get(from)!] : [];
    return from === id ? [rows.get(to)!] : [];
  });
  return at.length === 0 ? rows.get(id)! : at.reduce((a, b) => a + b) / at.length;
}
