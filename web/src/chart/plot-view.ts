import uPlot from 'uplot';
import type { TimeWindow } from '../time/time-window.ts';
import type { PlotModel } from './plot-model.ts';
import { type PlotLook, plotOptions } from './plot-options.ts';

/** A plot in the page. It is made anew only when what it consists of changes; data and windows are put into it. */
export class PlotView {
  readonly #parent: HTMLElement;
  #plot: uPlot | null = null;
  #shape = '';

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  /** The element that gets the pointer; null before the first `show`. */
  get over(): HTMLElement | null {
    return this.#plot?.over ?? null;
  }

  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null;
  }

  /** The instant at a distance from the left edge of `over`. */
  instantAt(leftPx: number): number {
    return this.#plot?.posToVal(leftPx, 'x') ?? 0;
  }

  show(
    model: PlotModel,
    {
      look,
      window,
      widthPx,
      heightPx,
    }: { look: PlotLook; window: TimeWindow; widthPx: number; heightPx: number },
  ): void {
    const shape = JSON.stringify([model.series, model.bands, model.axes, look.palette]);
    const data = [model.joined.times, ...model.joined.columns] as uPlot.AlignedData;
    if (this.#plot === null || shape !== this.#shape) {
      this.destroy();
      this.#shape = shape;
      const options = plotOptions(model, look);
      this.#plot = new uPlot({ ...options, width: widthPx, height: heightPx }, data, this.#parent);
    } else {
      this.#plot.setData(data, false);
      if (this.#plot.width !== widthPx || this.#plot.height !== heightPx) {
        this.#plot.setSize({ width: widthPx, height: heightPx });
      }
    }
    this.#plot.setScale('x', { min: window.startMs, max: window.endMs });
  }

  /** Lets one line stand out; null: all are equal. */
  focus(lineId: string | null, model: PlotModel): void {
    if (this.#plot === null) return;
    for (const [index, { lineId: id }] of model.series.entries()) {
      const series = this.#plot.series[index + 1] as uPlot.Series & { alpha?: number };
      series.alpha = lineId === null || id === lineId ? 1 : 0.25;
    }
    this.#plot.redraw(false);
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }
}
