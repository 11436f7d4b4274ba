import type { JSX } from 'preact';
import { type Palette, seriesColor } from '../chart/palette.ts';
import type { PlotLine, SeriesRole } from '../chart/plot-model.ts';
import { quantityText } from '../format/number-text.ts';

export type LegendValue = Partial<Readonly<Record<SeriesRole, number | null>>>;

/** The lines of a chart with their values where the cursor is, or their newest ones. Pressing one hides its line. */
export function ChartLegend({
  lines,
  hidden,
  values,
  palette,
  when,
  isHovering,
  onToggle,
  onFocus,
}: {
  readonly lines: readonly PlotLine[];
  readonly hidden: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, LegendValue>;
  readonly palette: Palette;
  /** Of the values. */
  readonly when: string;
  readonly isHovering: boolean;
  readonly onToggle: (id: string) => void;
  /** Null: no line is pointed at. */
  readonly onFocus: (id: string | null) => void;
}): JSX.Element {
  return (
    <div class="legend">
      <ul>
        {lines.map(({ id, label, color, unit, columns }) => (
          <li key={id}>
            <button
              type="button"
              class="legend-line"
              aria-pressed={!hidden.has(id)}
              title={hidden.has(id) ? `Show ${label}` : `Hide ${label}`}
              onClick={() => onToggle(id)}
              onMouseEnter={() => onFocus(id)}
              onMouseLeave={() => onFocus(null)}
            >
              <span class="swatch" style={{ background: seriesColor(palette, color) }} />
              <span class="legend-label">{label}</span>
              {!hidden.has(id) && (
                <span class="legend-value">{legendText(values.get(id) ?? {}, unit)}</span>
              )}
              {columns.granularity !== '' && (
                <span class="muted level">{columns.isRaw ? 'raw' : columns.granularity}</span>
              )}
            </button>
          </li>
        ))}
      </ul>
      <p class={`legend-when${isHovering ? '' : ' muted'}`}>{when}</p>
    </div>
  );
}

function legendText({ value, low, high }: LegendValue, unit: string): string {
  const text = (number: number | null | undefined): string =>
    quantityText(number ?? Number.NaN, unit);
  const hasBand = typeof low === 'number' && typeof high === 'number';
  const band = hasBand ? `${text(low)} … ${text(high)}` : '';
  if (value === undefined) return band;
  if (value === null) return '–';
  return band === '' ? text(value) : `${text(value)}  (${band})`;
}
