import type { Palette } from './palette.ts';

interface PlotImage {
  readonly canvas: HTMLCanvasElement;
  readonly title: string;
  readonly subtitle: string;
  readonly legend: readonly { readonly label: string; readonly color: string }[];
  readonly palette: Palette;
}

const MARGIN_PX = 16;
const HEAD_PX = 48;
const ROW_PX = 22;
const LEGEND_FONT = '12px system-ui, sans-serif';

/** A chart as a picture that explains itself: title, window, plot, legend. */
export function plotImage({ canvas, title, subtitle, legend, palette }: PlotImage): Promise<Blob> {
  const scale = devicePixelRatio;
  const image = document.createElement('canvas');
  const context = image.getContext('2d')!;
  const rows = legendRows(context, legend, canvas.width / scale);
  image.width = canvas.width + 2 * MARGIN_PX * scale;
  image.height = canvas.height + (HEAD_PX + rows.length * ROW_PX + MARGIN_PX) * scale;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, image.width, image.height);
  context.drawImage(canvas, MARGIN_PX * scale, HEAD_PX * scale);
  context.scale(scale, scale);
  context.textBaseline = 'top';
  context.fillStyle = palette.text;
  context.font = '600 16px system-ui, sans-serif';
  context.fillText(title, MARGIN_PX, 10);
  context.fillStyle = palette.muted;
  context.font = LEGEND_FONT;
  context.fillText(subtitle, MARGIN_PX, 30);
  const top = HEAD_PX + canvas.height / scale + 8;
  for (const [row, places] of rows.entries()) {
    for (const { label, color, leftPx } of places) {
      context.fillStyle = color;
      context.fillRect(MARGIN_PX + leftPx, top + row * ROW_PX + 2, 10, 10);
      context.fillStyle = palette.text;
      context.fillText(label, MARGIN_PX + leftPx + 16, top + row * ROW_PX);
    }
  }
  return new Promise((resolve, reject) => {
    image.toBlob((blob) => (blob === null ? reject(new Error('No picture.')) : resolve(blob)));
  });
}

type LegendPlace = PlotImage['legend'][number] & { readonly leftPx: number };

/** Entries beside each other, in as many rows as they need. */
function legendRows(
  context: CanvasRenderingContext2D,
  legend: PlotImage['legend'],
  widthPx: number,
): readonly (readonly LegendPlace[])[] {
  context.font = LEGEND_FONT;
  const rows: LegendPlace[][] = [];
  let leftPx = 0;
  for (const entry of legend) {
    const entryPx = 32 + context.measureText(entry.label).width;
    if (rows.length === 0 || leftPx + entryPx > widthPx) {
      rows.push([]);
      leftPx = 0;
    }
    rows.at(-1)!.push({ ...entry, leftPx });
    leftPx += entryPx;
  }
  return rows;
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers read the address only after the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
