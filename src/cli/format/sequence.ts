/** The first items; all of them without a count. */
export async function* take<Item>(
  items: AsyncIterable<Item>,
  count: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<Item, void, undefined> {
  let taken = 0;
  for await (const item of items) {
    yield item;
    taken++;
    if (taken >= count) return;
  }
}

/** Every item through a function, one after the other. */
export async function* map<Item, Result>(
  items: AsyncIterable<Item>,
  change: (item: Item) => Result,
): AsyncGenerator<Result, void, undefined> {
  for await (const item of items) yield change(item);
}

/** Lines of a JSON array with one item per line, without holding all of them. */
export async function* jsonArray<Item>(
  items: AsyncIterable<Item>,
  jsonOf: (item: Item) => string,
): AsyncGenerator<string, void, undefined> {
  let previous: string | null = null;
  yield '[';
  for await (const item of items) {
    if (previous !== null) yield `${previous},`;
    previous = jsonOf(item);
  }
  if (previous !== null) yield previous;
  yield ']';
}
