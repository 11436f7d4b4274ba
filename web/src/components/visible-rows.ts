export interface RowsInSight {
  /** Index of the first row to render. */
  readonly first: number;
  /** Index behind the last one. */
  readonly end: number;
}

/** Rows beyond the edges that are rendered too, so that a scroll shows no empty place. */
const OVERSCAN_COUNT = 8;

/** Which rows of equal height a person can see, and some more. */
export function rowsInSight({
  topPx,
  viewportPx,
  rowPx,
  rowCount,
}: {
  /** How far the list's beginning is above the viewport's; negative when it is below. */
  readonly topPx: number;
  readonly viewportPx: number;
  readonly rowPx: number;
  readonly rowCount: number;
}): RowsInSight {
  const first = Math.floor(topPx / rowPx) - OVERSCAN_COUNT;
  const end = Math.ceil((topPx + viewportPx) / rowPx) + OVERSCAN_COUNT;
  return {
    first: Math.min(Math.max(0, first), rowCount),
    end: Math.min(Math.max(0, end), rowCount),
  };
}
