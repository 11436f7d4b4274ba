/** Times with columns beside them, all equally long, the times ascending. */
export interface Table {
  readonly times: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

/** `undefined` is where another table has a row and this one does not; null is a gap. */
export type Joined = {
  readonly times: number[];
  readonly columns: (number | null | undefined)[][];
};

/** Tables over the times of all of them. */
export function joinTables(tables: readonly Table[]): Joined {
  const [only] = tables;
  if (tables.length === 1 && only !== undefined) {
    return { times: [...only.times], columns: only.columns.map((column) => [...column]) };
  }
  const times = [...new Set(tables.flatMap((table) => table.times))].sort((a, b) => a - b);
  const rowOf = new Map(times.map((time, row) => [time, row]));
  const columns = tables.flatMap((table) =>
    table.columns.map((column) => {
      const out = new Array<number | null | undefined>(times.length).fill(undefined);
      for (const [row, time] of table.times.entries()) out[rowOf.get(time)!] = column[row];
      return out;
    }),
  );
  return { times, columns };
}

/** The row of a column that counts at a row of the joined table: itself, or the nearest one that has something. */
export function nearestRow(
  { times, columns }: Joined,
  { column, row }: { readonly column: number; readonly row: number },
): number | null {
  const values = columns[column];
  if (values === undefined || row < 0 || row >= times.length) return null;
  if (values[row] !== undefined) return row;
  let before = row;
  while (before >= 0 && values[before] === undefined) before--;
  let after = row;
  while (after < times.length && values[after] === undefined) after++;
  if (before < 0) return after < times.length ? after : null;
  if (after >= times.length) return before;
  return times[row]! - times[before]! <= times[after]! - times[row]! ? before : after;
}

/** The last row that is not after an instant; -1: all are. */
export function lastRowUntil(times: readonly number[], instantMs: number): number {
  let end = times.length;
  while (end > 0 && times[end - 1]! > instantMs) end--;
  return end - 1;
}
