import type { ComponentChildren, JSX } from 'preact';
import { useAction } from '../state/use-action.ts';
import { ProblemNote } from './problem-note.tsx';

/** A form that says what went wrong. What was typed is given as texts by the names of the controls. */
export function Form({
  doing,
  submit,
  onSubmit,
  onCancel,
  children,
  className = 'form',
}: {
  /** "Logging in": stands before what went wrong. */
  readonly doing: string;
  /** What the button says. */
  readonly submit: string;
  readonly onSubmit: (
    values: Readonly<Record<string, string>>,
    form: HTMLFormElement,
  ) => Promise<unknown>;
  /** Of a form that can be left. */
  readonly onCancel?: () => void;
  readonly children: ComponentChildren;
  readonly className?: string;
}): JSX.Element {
  const action = useAction(onSubmit);
  return (
    <form
      class={className}
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const values = Object.fromEntries(
          [...new FormData(form)].map(([name, value]) => [name, String(value)]),
        );
        void action.run(values, form);
      }}
    >
      {action.error !== null && <ProblemNote doing={doing} error={action.error} />}
      {children}
      <div class="form-end button-row">
        <button type="submit" class="primary" disabled={action.isRunning}>
          {submit}
        </button>
        {onCancel !== undefined && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
