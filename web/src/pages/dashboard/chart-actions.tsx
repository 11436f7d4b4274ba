import type { JSX } from 'preact';

/** What the owner of a dashboard does with a chart of it. */
export function ChartActions({
  onMove,
  onRemove,
}: {
  readonly onMove: (by: number) => void;
  readonly onRemove: () => void;
}): JSX.Element {
  return (
    <span class="button-row">
      <button type="button" class="small" onClick={() => onMove(-1)}>
        Up
      </button>
      <button type="button" class="small" onClick={() => onMove(1)}>
        Down
      </button>
      <button type="button" class="small" onClick={onRemove}>
        Remove
      </button>
    </span>
  );
}
