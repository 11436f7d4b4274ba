import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type RowsInSight, rowsInSight } from './visible-rows.ts';

/** Rows of equal height, of which only those in sight are rendered; the page itself scrolls. */
export function VirtualList<T>({
  items,
  rowPx,
  keyOf,
  renderRow,
  onRange,
  label,
}: {
  readonly items: readonly T[];
  readonly rowPx: number;
  readonly keyOf: (item: T) => string;
  readonly renderRow: (item: T) => JSX.Element;
  /** Told which rows are in sight now. */
  readonly onRange: (range: RowsInSight) => void;
  readonly label: string;
}): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState<RowsInSight>({ first: 0, end: Math.min(items.length, 40) });
  const rowCount = items.length;
  useLayoutEffect(() => {
    const measure = (): void => {
      if (list.current === null) return;
      const topPx = -list.current.getBoundingClientRect().top;
      const next = rowsInSight({ topPx, viewportPx: innerHeight, rowPx, rowCount });
      setRange((now) => (now.first === next.first && now.end === next.end ? now : next));
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [rowCount, rowPx]);
  useEffect(() => onRange(range), [range, rowCount]);
  return (
    <ul ref={list} class="rows" aria-label={label} style={{ height: `${rowCount * rowPx}px` }}>
      {items.slice(range.first, range.end).map((item, index) => (
        <li
          key={keyOf(item)}
          style={{
            transform: `translateY(${(range.first + index) * rowPx}px)`,
            height: `${rowPx}px`,
          }}
        >
          {renderRow(item)}
        </li>
      ))}
    </ul>
  );
}
