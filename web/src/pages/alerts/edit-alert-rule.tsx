import type { JSX } from 'preact';
import { type AlertRule, replaceAlertRule } from '../../api/alerts.ts';
import { DialogButton } from '../../components/dialog-button.tsx';
import { textsOfRule } from '../../format/alert-rule-form.ts';
import { AlertRuleForm } from './alert-rule-form.tsx';

/** A button that opens the form of a rule with what the rule says. */
export function EditAlertRule({
  rule,
  onChanged,
}: {
  readonly rule: AlertRule;
  readonly onChanged: () => void;
}): JSX.Element {
  const { id, name, isEnabled, target } = rule;
  return (
    <DialogButton label="Edit" title={`Edit ${name}`}>
      {(close) => (
        <AlertRuleForm
          target={target}
          texts={textsOfRule(rule)}
          doing="Changing the rule"
          submit="Save"
          onSubmit={async (changed) => {
            await replaceAlertRule(id, { ...changed, isEnabled });
            close();
            onChanged();
          }}
          onCancel={close}
        />
      )}
    </DialogButton>
  );
}
