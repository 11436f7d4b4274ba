/** The cell that a column has in each of its rows, bit for bit; null when they differ, or without rows. */
export function uniformCell(column: Float64Array): number | null {
  const first = column[0];
  if (first === undefined) return null;
  if (first !== 0 && !Number.isNaN(first)) {
    for (let row = 1; row < column.length; row++) if (column[row] !== first) return null;
    return first;
  }
  for (let row = 1; row < column.length; row++) {
    if (!Object.is(column[row], first)) return null;
  }
  return first;
}
