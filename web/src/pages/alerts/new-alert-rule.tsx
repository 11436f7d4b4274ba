import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createAlertRule } from '../../api/alerts.ts';
import { NEW_RULE_TEXTS } from '../../format/alert-rule-form.ts';
import { AlertRuleForm } from './alert-rule-form.tsx';

export function NewAlertRule({ onMade }: { readonly onMade: () => void }): JSX.Element {
  // Another form for the next rule.
  const [madeCount, setMadeCount] = useState(0);
  return (
    <details>
      <summary>New rule</summary>
      <AlertRuleForm
        key={madeCount}
        target={null}
        texts={NEW_RULE_TEXTS}
        doing="Making the rule"
        submit="Make the rule"
        onSubmit={async (rule) => {
          await createAlertRule(rule);
          setMadeCount((count) => count + 1);
          onMade();
        }}
      />
    </details>
  );
}
