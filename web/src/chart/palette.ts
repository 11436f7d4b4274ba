/** What a plot draws with. */
export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly surface: string;
  readonly series: readonly string[];
}

const SERIES_COLOR_COUNT = 8;

/** Colours of the theme that is shown now, from the style sheet. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: color('--text'),
    muted: color('--muted'),
    grid: color('--grid'),
    surface: color('--surface'),
    series: Array.from({ length: SERIES_COLOR_COUNT }, (_, index) => color(`--series-${index}`)),
  };
}

/** A colour of the palette, the same again after the last one. */
export function seriesColor({ series }: Palette, index: number): string {
  return series[index % series.length]!;
}

/** A translucent version; `color` is `#rrggbb`. */
export function faded(color: string, opacity: number): string {
  return `${color}${Math.round(opacity * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
