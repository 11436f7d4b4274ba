/** The list with one item moved by so many places, no further than its ends. */
export function moved<T>(items: readonly T[], index: number, by: number): readonly T[] {
  const item = items[index];
  if (item === undefined) return items;
  const rest = items.filter((_, at) => at !== index);
  const to = Math.min(Math.max(0, index + by), rest.length);
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}
