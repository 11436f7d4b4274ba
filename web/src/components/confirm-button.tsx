import type { ComponentChildren, JSX } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { useAction } from '../state/use-action.ts';
import { ProblemNote } from './problem-note.tsx';

/** A button for what cannot be taken back: it asks first. */
export function ConfirmButton({
  label,
  question,
  doing,
  onConfirm,
  children,
  className = 'danger',
}: {
  readonly label: string;
  readonly question: string;
  readonly doing: string;
  readonly onConfirm: () => Promise<unknown>;
  /** What will happen. */
  readonly children: ComponentChildren;
  readonly className?: string;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const action = useAction(onConfirm);
  const confirm = async (): Promise<void> => {
    if (await action.run()) dialog.current?.close();
  };
  return (
    <>
      <button type="button" class={className} onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby={titleId}>
        <h2 id={titleId}>{question}</h2>
        {children}
        {action.error !== null && <ProblemNote doing={doing} error={action.error} />}
        <form method="dialog">
          <button type="submit">Cancel</button>
          <button
            type="button"
            class="danger"
            disabled={action.isRunning}
            onClick={() => void confirm()}
          >
            {label}
          </button>
        </form>
      </dialog>
    </>
  );
}
