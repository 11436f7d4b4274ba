import { expect, test } from '@jest/globals';
import { InvalidValueWarning } from '../../src/exceptions/warnings.ts';

test('warnings have no stack trace, and errors keep theirs', () => {
  const reason = new Error('because');
  const warning = new InvalidValueWarning('What happened.', { cause: reason });
  expect(warning.stack).not.toContain('\n');
  expect(warning).toMatchObject({ message: 'What happened.', cause: reason });
  expect(new Error('any').stack).toContain('warnings.test');
});
