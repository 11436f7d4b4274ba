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
const FOOT_PX = 32;

/** A chart as a picture that explains itself: title, window, plot, legend. */
export function plotImage({ canvas, title, subtitle, legend, palette }: PlotImage): Promise<Blob> {
  const scale = devicePixelRatio;
  const image = document.createElement('canvas');
  image.width = canvas.width + 2 * MARGIN_PX * scale;
  image.height = canvas.height + (HEAD_PX + FOOT_PX + MARGIN_PX) * scale;
  const context = image.getContext('2d')!;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, image.width, image.height);
  context.drawImage(canvas, MARGIN_PX * scale, HEAD_PX * scale);
  context.scale(scale, scale);
  context.textBaseline = 'top';
  context.fillStyle = palette.text;
  context.font = '600 16px system-ui, sans-serif';
  context.fillText(title, MARGIN_PX, 10);
  context.fillStyle = palette.muted;
  context.font = '12px system-ui, sans-serif';
  context.fillText(subtitle, MARGIN_PX, 30);
  let left = MARGIN_PX;
  const top = HEAD_PX + canvas.height / scale + 12;
  for (const { label, color } of legend) {
    context.fillStyle = color;
    context.fillRect(left, top + 2, 10, 10);
    context.fillStyle = palette.text;
    context.fillText(label, left + 16, top);
    left += 32 + context.measureText(label).width;
  }
  return new Promise((resolve, reject) => {
    image.toBlob((blob) => (blob === null ? reject(new Error('No picture.')) : resolve(blob)));
  });
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
