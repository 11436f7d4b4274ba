import type { ComponentChildren, JSX } from 'preact';
import { DialogButton } from './dialog-button.tsx';
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
  return (
    <DialogButton label={label} title={title} className="small">
      {(close) => (
        <Form
          doing={doing}
          submit={submit}
          onSubmit={async (values) => {
            await onSubmit(values);
            close();
          }}
          onCancel={close}
        >
          {children}
        </Form>
      )}
    </DialogButton>
  );
}
