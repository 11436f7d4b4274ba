import { InvalidValue } from '../exceptions/errors.ts';
import { canonicalJson, isTagObject, type Json } from './tags.ts';
import { copyJson } from './value-json.ts';

/**
 * Copies a graph `{ v: [{ i: id, … }], e: [{ f: id, t: id, … }] }`. Ids are any JSON values but null.
 * @throws {InvalidValue} when a list is missing, a vertex has no id or one that another has, or an edge
 * lacks an end or names an unknown vertex.
 */
export function copyGraph(value: unknown): Json {
  const graph = copyJson(value);
  if (!isTagObject(graph) || !Array.isArray(graph['v']) || !Array.isArray(graph['e'])) {
    throw new InvalidValue(
      'A graph is an object with a list `v` of vertices and a list `e` of edges.',
    );
  }
  const ids = new Set<string>();
  for (const vertex of graph['v']) {
    const id = isTagObject(vertex) ? member(vertex, 'i') : null;
    if (id === null) throw new InvalidValue('A vertex of the graph has no id `i`.');
    if (ids.has(id)) throw new InvalidValue(`Two vertices of the graph have the id ${id}.`);
    ids.add(id);
  }
  for (const edge of graph['e']) {
    for (const end of ['f', 't']) {
      const id = isTagObject(edge) ? member(edge, end) : null;
      if (id === null) throw new InvalidValue(`An edge of the graph has no \`${end}\`.`);
      if (!ids.has(id)) throw new InvalidValue(`An edge names ${id}, which is no vertex.`);
    }
  }
  return graph;
}

function member(object: { readonly [key: string]: Json }, key: string): string | null {
  const value = Object.hasOwn(object, key) ? object[key] : null;
  return value === null || value === undefined ? null : canonicalJson(value);
}
