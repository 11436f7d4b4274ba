import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { dataUrl } from '../api/data.ts';
import type { ChartColumns } from '../chart/columns.ts';
import { readPalette, seriesColor } from '../chart/palette.ts';
import { download, plotImage } from '../chart/plot-image.ts';
import { windowText } from '../time/time-text.ts';
import type { TimeWindow } from '../time/time-window.ts';
import { CopyButton } from './copy-button.tsx';

/** What is seen, to take along: as a picture, a table, JSON, or the address of the API that gives it. */
export function ExportMenu({
  streamId,
  title,
  columns,
  window,
  zone,
}: {
  readonly streamId: string;
  readonly title: string;
  readonly columns: ChartColumns;
  readonly window: TimeWindow;
  readonly zone: string;
}): JSX.Element {
  const menu = useRef<HTMLDetailsElement>(null);
  const query = {
    ...(columns.granularity !== '' && { granularity: columns.granularity }),
    start: new Date(Math.floor(window.startMs)).toISOString(),
    end: new Date(Math.ceil(window.endMs)).toISOString(),
    live: true,
  };
  const savePicture = async (): Promise<void> => {
    const canvas = document.querySelector<HTMLCanvasElement>('.plot canvas');
    if (canvas === null) return;
    const palette = readPalette();
    const blob = await plotImage({
      canvas,
      title,
      subtitle: `${windowText(window, zone)} (${zone})`,
      legend: [{ label: `${title}, ${columns.granularity}`, color: seriesColor(palette, 0) }],
      palette,
    });
    download(blob, `${title}.png`);
  };
  return (
    <details ref={menu} class="menu">
      <summary class="button">Export</summary>
      <div class="menu-items">
        <button type="button" onClick={() => void savePicture()}>
          PNG picture
        </button>
        <a href={dataUrl(streamId, { ...query, format: 'csv' })} download={`${title}.csv`}>
          CSV table
        </a>
        <a
          href={dataUrl(streamId, { ...query, format: 'rows', limit: 10_000 })}
          download={`${title}.json`}
        >
          JSON
        </a>
        <a href={dataUrl(streamId, { ...query, limit: 10_000 })} target="_blank" rel="noreferrer">
          Open in the API
        </a>
        <CopyButton text={dataUrl(streamId, query)} label="Copy the API link" />
      </div>
    </details>
  );
}
