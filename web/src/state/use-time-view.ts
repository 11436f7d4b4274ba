import { useEffect, useRef, useState } from 'preact/hooks';
import { place, replaceQuery } from '../router/location.ts';
import {
  type History,
  isFollowing,
  keepNear,
  spanOf,
  type TimeView,
  type TimeWindow,
  viewOfQuery,
  viewQuery,
  windowOfView,
} from '../time/time-window.ts';
import { useNow } from './use-now.ts';

export interface TimeViewState {
  readonly view: TimeView;
  readonly window: TimeWindow;
  readonly history: History;
  readonly isPaused: boolean;
  /** Whether the window goes with the clock now. */
  readonly isFollowing: boolean;
  readonly setView: (view: TimeView) => void;
  /** Null: there is no view before this one. */
  readonly goBack: (() => void) | null;
  readonly togglePause: () => void;
}

/** A window that moves every second is enough for hours; a longer one moves less than a pixel then. */
const TICK_MS = 1000;
const REMEMBERED_COUNT = 50;
/** Changes within this time are one step back: a wheel or a drag makes dozens. */
const STEP_MS = 600;

/** The view of a page's charts: kept in the address, with a way back, and a pause. */
export function useTimeView(
  { earliestMs, latestMs }: Pick<History, 'earliestMs' | 'latestMs'>,
  initial: TimeView,
): TimeViewState {
  const [view, setShown] = useState<TimeView>(() => viewOfQuery(place.value.query) ?? initial);
  const [paused, setPaused] = useState<TimeWindow | null>(null);
  const before = useRef<TimeView[]>([]);
  const changedAtMs = useRef(0);
  const nowMs = useNow(TICK_MS, isFollowing(view) && paused === null);
  const history: History = { earliestMs, latestMs, nowMs };
  const window = paused ?? windowOfView(view, history);

  // A drag changes the view at every move; browsers refuse that many addresses.
  useEffect(() => {
    const timer = setTimeout(() => {
      replaceQuery({ window: null, start: null, end: null, ...viewQuery(view) });
    }, STEP_MS / 2);
    return () => clearTimeout(timer);
  }, [view]);

  const setView = (next: TimeView): void => {
    const isStep = Date.now() - changedAtMs.current > STEP_MS;
    changedAtMs.current = Date.now();
    if (isStep) before.current = [...before.current, view].slice(-REMEMBERED_COUNT);
    setPaused(null);
    setShown(
      next.kind === 'fixed' ? { kind: 'fixed', window: keepNear(next.window, history) } : next,
    );
  };
  const goBack = (): void => {
    const previous = before.current.at(-1);
    before.current = before.current.slice(0, -1);
    setPaused(null);
    setShown(previous ?? initial);
  };
  return {
    view,
    window,
    history,
    isPaused: paused !== null,
    isFollowing: isFollowing(view) && paused === null && spanOf(window) > 0,
    setView,
    goBack: before.current.length > 0 ? goBack : null,
    togglePause: () => setPaused(paused === null ? window : null),
  };
}
