import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A box that is ticked at once; it goes back when the change was refused. */
export function Toggle({
  label,
  isOn,
  onToggle,
}: {
  readonly label: string;
  readonly isOn: boolean;
  /** Resolves to whether it was done; `isOn` follows then. */
  readonly onToggle: (isOn: boolean) => Promise<boolean>;
}): JSX.Element {
  const [wanted, setWanted] = useState<boolean | null>(null);
  useEffect(() => setWanted(null), [isOn]);
  const toggle = async (next: boolean): Promise<void> => {
    setWanted(next);
    if (!(await onToggle(next))) setWanted(null);
  };
  return (
    <input
      type="checkbox"
      aria-label={label}
      checked={wanted ?? isOn}
      onChange={({ currentTarget }) => void toggle(currentTarget.checked)}
    />
  );
}
