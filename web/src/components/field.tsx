import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

/** A control with its label above and, where needed, a word of help below. */
export function Field({
  label,
  help,
  children,
}: {
  readonly label: string;
  readonly help?: string;
  /** Gets the ids that tie it to label and help. */
  readonly children: (ids: {
    readonly id: string;
    readonly 'aria-describedby'?: string;
  }) => ComponentChildren;
}): JSX.Element {
  const id = useId();
  const helpId = `${id}-help`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(help !== undefined && { 'aria-describedby': helpId }) })}
      {help !== undefined && (
        <p id={helpId} class="muted help">
          {help}
        </p>
      )}
    </div>
  );
}
