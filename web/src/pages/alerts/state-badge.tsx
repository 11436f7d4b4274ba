import type { JSX } from 'preact';

export function StateBadge({ state }: { readonly state: string }): JSX.Element {
  return <span class={`badge ${state}`}>{state}</span>;
}
