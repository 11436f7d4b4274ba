import { describe, expect, test } from '@jest/globals';
import { graphDrawing } from '../../web/src/chart/graph-layout.ts';
import { connectedWith, layeredLayout } from '../../web/src/chart/layered-layout.ts';
import { movedWindow, windowShares } from '../../web/src/chart/navigator.ts';
import { pinched } from '../../web/src/chart/pinch.ts';
import { rowsInSight } from '../../web/src/components/visible-rows.ts';
import { moved } from '../../web/src/format/reorder.ts';

describe('the graph of derivations', () => {
  const EDGES = [
    { from: 'a', to: 'c' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'd' },
    { from: 'e', to: 'd' },
    { from: 'x', to: 'y' },
  ];
  const IDS = ['d', 'a', 'b', 'c', 'e', 'x', 'y', 'alone'];

  test('has every stream behind its sources, and no two at one place', () => {
    const nodes = layeredLayout(IDS, EDGES);
    const layer = new Map(nodes.map((node) => [node.id, node.layer]));
    for (const { from, to } of EDGES) expect(layer.get(from)!).toBeLessThan(layer.get(to)!);
    expect(new Set(nodes.map((node) => `${node.layer} ${node.row}`)).size).toBe(IDS.length);
    // What is needed late stands late.
    expect(layer.get('e')).toBe(1);
  });

  test('does not cross edges that need not cross', () => {
    const edges = [
      { from: 'a', to: 'z' },
      { from: 'b', to: 'y' },
      { from: 'b', to: 'z' },
      { from: 'c', to: 'y' },
    ];
    const row = new Map(
      layeredLayout(['a', 'b', 'c', 'y', 'z'], edges).map((node) => [node.id, node.row]),
    );
    const crossings = edges.flatMap((one) =>
      edges.filter(
        (other) =>
          (row.get(one.from)! - row.get(other.from)!) * (row.get(one.to)! - row.get(other.to)!) < 0,
      ),
    );
    expect(crossings).toEqual([]);
  });

  test('ends with a cycle too, and leaves out edges to what is not there', () => {
    const nodes = layeredLayout(
      ['a', 'b'],
      [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a' },
        { from: 'gone', to: 'a' },
      ],
    );
    expect(nodes.map(({ id }) => id).sort()).toEqual(['a', 'b']);
  });

  test('finds what a stream has to do with', () => {
    expect([...connectedWith('c', IDS, EDGES)].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(connectedWith('alone', IDS, EDGES)).toEqual(['alone']);
  });
});

describe('the drawing of a graph', () => {
  const BOX = { width: 100, height: 60, margin: 10 };
  const GRAPH = {
    v: [{ i: 'a' }, { i: 2 }, { i: 'c' }],
    e: [
      { f: 'a', t: 2 },
      { f: 2, t: 'nobody' },
    ],
  };

  test('lies in its box, the same each time', () => {
    const drawing = graphDrawing(GRAPH, BOX);
    expect(drawing.vertices.map(({ id }) => id)).toEqual(['a', '2', 'c']);
    expect(drawing.edges).toHaveLength(1);
    for (const { x, y } of drawing.vertices) {
      expect(x).toBeGreaterThanOrEqual(10);
      expect(x).toBeLessThanOrEqual(90);
      expect(y).toBeGreaterThanOrEqual(10);
      expect(y).toBeLessThanOrEqual(50);
    }
    expect(graphDrawing(GRAPH, BOX)).toEqual(drawing);
  });

  test('of one vertex, and of what is no graph, is no error', () => {
    expect(graphDrawing({ v: [{ i: 'a' }], e: [] }, BOX).vertices).toEqual([
      { id: 'a', x: 50, y: 30 },
    ]);
    expect(graphDrawing(null, BOX)).toEqual({ vertices: [], edges: [] });
    expect(graphDrawing({ v: 7 }, BOX).vertices).toEqual([]);
  });
});

describe('the navigator', () => {
  const WINDOW = { startMs: 1000, endMs: 3000 };
  test('moves an end or all of the window, and keeps its ends apart', () => {
    expect(movedWindow(WINDOW, 'body', 500)).toEqual({ startMs: 1500, endMs: 3500 });
    expect(movedWindow(WINDOW, 'start', -500)).toEqual({ startMs: 500, endMs: 3000 });
    expect(movedWindow(WINDOW, 'end', 500)).toEqual({ startMs: 1000, endMs: 3500 });
    const closed = movedWindow(WINDOW, 'start', 99_000);
    expect(closed.endMs).toBeGreaterThan(closed.startMs);
    expect(windowShares(WINDOW, { startMs: 2000, endMs: 4000 })).toEqual({ start: 0, end: 0.5 });
  });
});

test('two fingers keep the instants that they touch', () => {
  const window = { startMs: 0, endMs: 1000 };
  // From the middle outwards: half as long, around the middle.
  expect(pinched(window, { from: [40, 60], to: [30, 70], widthPx: 100 })).toEqual({
    startMs: 250,
    endMs: 750,
  });
  expect(pinched(window, { from: [40, 60], to: [60, 40], widthPx: 100 })).toBe(window);
});

test('of a long list only what is in sight is there, and some more', () => {
  const list = { viewportPx: 500, rowPx: 50, rowCount: 1000 };
  expect(rowsInSight({ ...list, topPx: -100 })).toEqual({ first: 0, end: 16 });
  expect(rowsInSight({ ...list, topPx: 5000 })).toEqual({ first: 92, end: 118 });
  expect(rowsInSight({ ...list, topPx: 99_999_999 })).toEqual({ first: 1000, end: 1000 });
});

test('charts move within their list', () => {
  expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
  expect(moved(['a', 'b', 'c'], 0, 9)).toEqual(['b', 'c', 'a']);
});
