import type { ComponentChildren, JSX } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { Form } from './form.tsx';

/** A button that asks for more in a form above the page, which closes when that was taken. */
export function FormDialog({
  label,
  title,
  doing,
  submit,
  onSubmit,
  children,
}: {
  readonly label: string;
  readonly title: string;
  readonly doing: string;
  readonly submit: string;
  readonly onSubmit: (values: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly children: ComponentChildren;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Made anew each time: what was typed, and what went wrong, belongs to one time.
  const [openCount, setOpenCount] = useState(0);
  return (
    <>
      <button
        type="button"
        class="small"
        onClick={() => {
          setOpenCount(openCount + 1);
          dialog.current?.showModal();
        }}
      >
        {label}
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby={titleId}>
        <h2 id={titleId}>{title}</h2>
        <Form
          key={openCount}
          doing={doing}
          submit={submit}
          onSubmit={async (values) => {
            await onSubmit(values);
            dialog.current?.close();
          }}
          onCancel={() => dialog.current?.close()}
        >
          {children}
        </Form>
      </dialog>
    </>
  );
}
