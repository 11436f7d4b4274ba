import type { Json } from '../api/types.ts';
import { isObject } from './visualization.ts';

interface GraphVertex {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

interface GraphEdge {
  readonly from: GraphVertex;
  readonly to: GraphVertex;
}

export interface GraphDrawing {
  readonly vertices: readonly GraphVertex[];
  readonly edges: readonly GraphEdge[];
}

const STEP_COUNT = 200;

/**
 * Places a graph value `{ v: [{ i }], e: [{ f, t }] }` in a box: vertices push each other away, edges pull (Fruchterman
 * and Reingold, 1991). It begins with a circle, not with chance: the same graph always looks the same.
 */
export function graphDrawing(
  value: Json,
  {
    width,
    height,
    margin,
  }: { readonly width: number; readonly height: number; readonly margin: number },
): GraphDrawing {
  const ids = memberList(value, 'v').flatMap((vertex) =>
    isObject(vertex) && vertex['i'] !== undefined ? [idText(vertex['i'])] : [],
  );
  const index = new Map(ids.map((id, at) => [id, at]));
  const links = memberList(value, 'e').flatMap((edge) => {
    if (!isObject(edge)) return [];
    const from = index.get(idText(edge['f'] ?? null));
    const to = index.get(idText(edge['t'] ?? null));
    return from === undefined || to === undefined ? [] : [[from, to] as const];
  });
  const places = relaxed(circle(ids.length), links);
  const vertices = fitted(places, { width, height, margin }).map(([x, y], at) => ({
    id: ids[at]!,
    x,
    y,
  }));
  return {
    vertices,
    edges: links.map(([from, to]) => ({ from: vertices[from]!, to: vertices[to]! })),
  };
}

type Place = [x: number, y: number];

function circle(count: number): Place[] {
  return Array.from({ length: count }, (_, at) => {
    const angle = (2 * Math.PI * at) / count;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

function relaxed(start: Place[], links: readonly (readonly [number, number])[]): Place[] {
  const places = start.map(([x, y]): Place => [x, y]);
  const ideal = 1.5 / Math.sqrt(Math.max(1, places.length));
  for (let step = 0; step < STEP_COUNT; step++) {
    const reach = 0.1 * (1 - step / STEP_COUNT);
    const forces = places.map((): Place => [0, 0]);
    for (let a = 0; a < places.length; a++) {
      for (let b = a + 1; b < places.length; b++) {
        push(forces, places, { a, b, strength: (distance) => (ideal * ideal) / distance });
      }
    }
    for (const [a, b] of links) {
      push(forces, places, { a, b, strength: (distance) => -(distance * distance) / ideal });
    }
    for (const [at, [dx, dy]] of forces.entries()) {
      const size = Math.hypot(dx, dy);
      if (size === 0) continue;
      const move = Math.min(size, reach) / size;
      places[at]![0] += dx * move;
      places[at]![1] += dy * move;
    }
  }
  return places;
}

function push(
  forces: Place[],
  places: readonly Place[],
  { a, b, strength }: { a: number; b: number; strength: (distance: number) => number },
): void {
  const dx = places[a]![0] - places[b]![0];
  const dy = places[a]![1] - places[b]![1];
  const distance = Math.max(Math.hypot(dx, dy), 1e-3);
  const force = strength(distance) / distance;
  forces[a]![0] += dx * force;
  forces[a]![1] += dy * force;
  forces[b]![0] -= dx * force;
  forces[b]![1] -= dy * force;
}

function fitted(
  places: readonly Place[],
  {
    width,
    height,
    margin,
  }: { readonly width: number; readonly height: number; readonly margin: number },
): Place[] {
  const along = (axis: 0 | 1, size: number): number[] => {
    const values = places.map((place) => place[axis]);
    const low = values.reduce((x, y) => Math.min(x, y), Number.POSITIVE_INFINITY);
    const high = values.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY);
    if (high - low < 1e-9) return values.map(() => size / 2);
    return values.map((value) => margin + ((value - low) / (high - low)) * (size - 2 * margin));
  };
  const xs = along(0, width);
  const ys = along(1, height);
  return places.map((_, at) => [xs[at]!, ys[at]!]);
}

function memberList(value: Json, name: string): readonly Json[] {
  const list = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [];
}

function idText(id: Json): string {
  return typeof id === 'string' ? id : JSON.stringify(id);
}
