import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { place, replaceQuery } from '../router/location.ts';
import { useObservable } from '../state/use-observable.ts';

const TYPING_MS = 200;

/** The search of a list, kept in the address as `q`; it searches when the typing rests. */
export function SearchField(): JSX.Element {
  const search = useObservable(place).query['q'] ?? '';
  const [typed, setTyped] = useState(search);
  useEffect(() => setTyped(search), [search]);
  useEffect(() => {
    if (typed.trim() === search) return;
    const timer = setTimeout(() => replaceQuery({ q: typed.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label class="search">
      <span class="visually-hidden">
        Search streams by tag: words are looked for in all tags; name=value, name~part, name!=value
        and name&gt;number ask for one
      </span>
      <input
        type="search"
        value={typed}
        placeholder="Search tags: host=a1 load"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  );
}
