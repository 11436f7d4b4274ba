import type { ComponentChildren, JSX } from 'preact';
import type { TimeViewState } from '../state/use-time-view.ts';
import { inputText, instantOfInput } from '../time/input-time.ts';
import {
  type History,
  isLongerThanHistory,
  PRESETS,
  type Preset,
  type TimeView,
  viewOfPreset,
  windowBetween,
} from '../time/time-window.ts';

/** Presets, the ends of the window to type, the way back, and pause. */
export function WindowBar({
  time,
  zone,
  children,
}: {
  readonly time: TimeViewState;
  readonly zone: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const { view, window, history, setView, goBack, isPaused, togglePause } = time;
  const change = (end: 'startMs' | 'endMs', text: string): void => {
    const instantMs = instantOfInput(text, zone);
    if (instantMs === null) return;
    const next = { ...window, [end]: instantMs };
    setView({ kind: 'fixed', window: windowBetween(next.startMs, next.endMs) });
  };
  return (
    <section class="window-bar" aria-label="Window of time">
      <div class="segmented">
        {PRESETS.map((preset) => (
          <button
            key={preset.name}
            type="button"
            aria-pressed={isSame(view, viewOfPreset(preset)) && !isPaused}
            {...reachOf(preset, history)}
            onClick={() => setView(viewOfPreset(preset))}
          >
            {preset.name}
          </button>
        ))}
      </div>
      <div class="ends">
        {endInput('From', window.startMs, zone, (text) => change('startMs', text))}
        <span aria-hidden="true">–</span>
        {endInput('To', window.endMs, zone, (text) => change('endMs', text))}
        <span class="muted zone">{zone}</span>
      </div>
      <div class="window-actions">
        {children}
        <button type="button" disabled={goBack === null} onClick={() => goBack?.()}>
          Back
        </button>
        {(view.kind !== 'fixed' || isPaused) && (
          <button type="button" aria-pressed={isPaused} onClick={togglePause}>
            {isPaused ? 'Resume' : 'Pause'}
          </button>
        )}
        {view.kind === 'fixed' && !isPaused && (
          <button
            type="button"
            onClick={() => setView({ kind: 'latest', spanMs: window.endMs - window.startMs })}
          >
            Go live
          </button>
        )}
      </div>
    </section>
  );
}

/** Whether there is history enough for a preset, and why it cannot be chosen. */
function reachOf(
  { name, spanMs }: Preset,
  history: History,
): { readonly disabled?: boolean; readonly title?: string } {
  if (spanMs === null || !isLongerThanHistory(spanMs, history)) return {};
  return { disabled: true, title: `There is less than one ${name} of history: all shows it` };
}

function endInput(
  label: string,
  instantMs: number,
  zone: string,
  onText: (text: string) => void,
): JSX.Element {
  return (
    <label>
      <span class="visually-hidden">{label}</span>
      <input
        type="datetime-local"
        step="1"
        value={inputText(instantMs, zone)}
        onChange={(event) => onText(event.currentTarget.value)}
      />
    </label>
  );
}

function isSame(a: TimeView, b: TimeView): boolean {
  if (a.kind === 'latest' && b.kind === 'latest') return a.spanMs === b.spanMs;
  return a.kind === b.kind && a.kind === 'all';
}
