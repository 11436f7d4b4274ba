import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A button that opens something above the page, and has the focus again when that closes. */
export function DialogButton({
  label,
  title,
  className = '',
  children,
}: {
  readonly label: string;
  readonly title: string;
  readonly className?: string;
  /** Made anew each time: what was typed, and what went wrong, belongs to one time. */
  readonly children: (close: () => void) => ComponentChildren;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [isOpen, setOpen] = useState(false);
  useLayoutEffect(() => {
    // Once its controls are there: the first of them gets the focus.
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  return (
    <>
      <button type="button" class={className} onClick={() => setOpen(true)}>
        {label}
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby={titleId} onClose={() => setOpen(false)}>
        <h2 id={titleId}>{title}</h2>
        {isOpen && children(() => dialog.current?.close())}
      </dialog>
    </>
  );
}
