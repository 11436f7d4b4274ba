import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const GO: Readonly<Record<string, string>> = {
  s: '/',
  c: '/charts',
  b: '/dashboards',
  d: '/derivations',
  a: '/alerts',
  n: '/send',
};

const SHORTCUTS: readonly (readonly [keys: string, text: string])[] = [
  ['?', 'This list'],
  ['/', 'Search streams'],
  ['g s', 'Go to streams'],
  ['g c', 'Go to charts'],
  ['g b', 'Go to dashboards'],
  ['g d', 'Go to derivations'],
  ['g a', 'Go to alerts'],
  ['g n', 'Send data'],
  ['← →', 'In a chart: earlier, later'],
  ['↑ ↓', 'In a chart: zoom in, zoom out'],
  ['Home End', 'In a chart: first, newest datapoints'],
  ['0', 'In a chart: the window as before'],
  ['space', 'In a chart: pause, go on'],
];

/** Keys that work everywhere, and the list of all keys. */
export function ShortcutsDialog({ goTo }: { readonly goTo: (to: string) => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    let isGoing = false;
    const onKey = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      const wasGoing = isGoing;
      isGoing = event.key === 'g';
      const to = wasGoing ? GO[event.key] : undefined;
      if (to !== undefined) goTo(to);
      else if (event.key === '?') dialog.current?.showModal();
      else if (event.key === '/') focusSearch(event);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [goTo]);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="shortcuts-title">
      <h2 id="shortcuts-title">Keys</h2>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
  );
}

function focusSearch(event: KeyboardEvent): void {
  const search = document.querySelector<HTMLInputElement>('input[type=search]');
  if (search === null) return;
  event.preventDefault();
  search.focus();
}
