import type { JSX } from 'preact';

/** Asks for what comes after the end of a list. */
export function OlderButton({
  hasOlder,
  isLoading,
  onClick,
}: {
  readonly hasOlder: boolean;
  readonly isLoading: boolean;
  readonly onClick: () => void;
}): JSX.Element | null {
  if (!hasOlder) return null;
  return (
    <p>
      <button type="button" disabled={isLoading} onClick={onClick}>
        Show older
      </button>
    </p>
  );
}
