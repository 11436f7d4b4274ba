import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import { dataUrl } from '../api/data.ts';
import { type ExportPart, exportCsv, exportJson } from '../chart/export-table.ts';
import { readPalette, seriesColor } from '../chart/palette.ts';
import { download, plotImage } from '../chart/plot-image.ts';
import { svgCanvas } from '../chart/svg-canvas.ts';
import { streamTitle } from '../format/stream-title.ts';
import { windowText } from '../time/time-text.ts';
import type { TimeWindow } from '../time/time-window.ts';
import { CopyButton } from './copy-button.tsx';

const ROW_COUNT_MAX = 10_000;

/**
 * What is seen, to take along: as a picture, a table, JSON, or the addresses of the API that give it. It stands in the
 * `section` or `article` of what it exports.
 */
export function ExportMenu({
  title,
  parts,
  window,
  zone,
}: {
  readonly title: string;
  readonly parts: readonly ExportPart[];
  readonly window: TimeWindow;
  readonly zone: string;
}): JSX.Element {
  const menu = useRef<HTMLDetailsElement>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const closeBeside = ({ target }: Event): void => {
      if (menu.current?.contains(target as Node) === false) menu.current.open = false;
    };
    document.addEventListener('pointerdown', closeBeside);
    return () => document.removeEventListener('pointerdown', closeBeside);
  }, []);
  const name = title.replace(/[\\/:*?"<>|]+/g, ' ').trim() || 'chart';
  const [only] = parts.length === 1 ? parts : [];
  const savePicture = async (): Promise<void> => {
    setError(null);
    try {
      const { canvas, hasLines } = await canvasIn(menu.current!.closest('section, article'));
      const palette = readPalette();
      const lines = hasLines ? parts : [];
      const legend = lines.map(({ stream, columns }, index) => ({
        label: [streamTitle(stream), columns.isRaw ? '' : columns.granularity]
          .filter(Boolean)
          .join(', '),
        color: seriesColor(palette, index),
      }));
      const subtitle = `${windowText(window, zone)} (${zone})`;
      download(await plotImage({ canvas, title, subtitle, legend, palette }), `${name}.png`);
    } catch (reason) {
      setError(ApiError.textOf(reason));
    }
  };
  const saveText = (text: string, ending: string, type: string): void =>
    download(new Blob([text], { type }), `${name}.${ending}`);
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={({ key }) => {
        if (key !== 'Escape' || !menu.current!.open) return;
        menu.current!.open = false;
        menu.current!.querySelector('summary')?.focus();
      }}
    >
      <summary class="button small">Export</summary>
      <div class="menu-items">
        <button type="button" onClick={() => void savePicture()}>
          PNG picture
        </button>
        {only === undefined ? (
          <>
            <button
              type="button"
              onClick={() => saveText(exportCsv(parts, window), 'csv', 'text/csv')}
            >
              CSV table
            </button>
            <button
              type="button"
              onClick={() => saveText(exportJson(parts, window), 'json', 'application/json')}
            >
              JSON
            </button>
          </>
        ) : (
          <>
            <a href={urlOf(only, window, { format: 'csv' })} download={`${name}.csv`}>
              CSV table
            </a>
            <a
              href={urlOf(only, window, { format: 'rows', limit: ROW_COUNT_MAX })}
              download={`${name}.json`}
            >
              JSON
            </a>
          </>
        )}
        {parts.map((part) => (
          <a
            key={part.stream.id}
            href={urlOf(part, window, { limit: ROW_COUNT_MAX })}
            target="_blank"
            rel="noreferrer"
          >
            {only === undefined ? `API: ${streamTitle(part.stream)}` : 'Open in the API'}
          </a>
        ))}
        {only !== undefined && (
          <CopyButton text={urlOf(only, window, {})} label="Copy the API link" />
        )}
        {error !== null && <p role="alert">{error}</p>}
      </div>
    </details>
  );
}

function urlOf(
  { stream, columns: { granularity } }: ExportPart,
  { startMs, endMs }: TimeWindow,
  query: Readonly<Record<string, string | number>>,
): string {
  return dataUrl(stream.id, {
    ...(granularity !== '' && { granularity }),
    start: new Date(Math.floor(startMs)).toISOString(),
    end: new Date(Math.ceil(endMs)).toISOString(),
    live: true,
    ...query,
  });
}

/** The plot of a chart, or what else is drawn there. @throws {Error} when there is nothing. */
async function canvasIn(
  place: Element | null,
): Promise<{ readonly canvas: HTMLCanvasElement; readonly hasLines: boolean }> {
  const canvas = place?.querySelector<HTMLCanvasElement>('.plot canvas');
  if (canvas != null) return { canvas, hasLines: true };
  const drawing = place?.querySelector<SVGSVGElement>('svg.drawing');
  if (drawing == null) throw new Error('There is nothing drawn to take a picture of.');
  return { canvas: await svgCanvas(drawing), hasLines: false };
}
