import type { JSX } from 'preact';

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
  return (
    <nav class="section-links" aria-label={label}>
      {links.map(({ to, text }) => (
        <a key={to} href={to} aria-current={to === current ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
