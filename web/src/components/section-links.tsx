import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface SectionLink {
  readonly to: string;
  readonly text: string;
}

/** Links to the parts of a page that has several, each with an address of its own. */
export function SectionLinks({
  label,
  links,
  current,
}: {
  readonly label: string;
  readonly links: readonly SectionLink[];
  /** Address of the part that is shown. */
  readonly current: string;
}): JSX.Element {
  const here = useRef<HTMLAnchorElement>(null);
  // On a phone not all of them are in sight.
  useEffect(() => here.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [current]);
  return (
    <nav class="section-links" aria-label={label}>
      {links.map(({ to, text }) => (
        <a
          key={to}
          href={to}
          ref={to === current ? here : null}
          aria-current={to === current ? 'page' : undefined}
        >
          {text}
        </a>
      ))}
    </nav>
  );
}
