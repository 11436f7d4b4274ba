import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const FOLDER = join('test', 'conformance');

/**
 * Prints, at the end of a run, how many conformance tests each backend passed. A file that
 * CONFORMANCE_SUMMARY names gets the same lines.
 */
export default class ConformanceReporter {
  onRunComplete(_contexts, { testResults }) {
    const lines = testResults
      .filter(({ testFilePath }) => testFilePath.includes(`${FOLDER}/`))
      .map(
        ({ testFilePath, numPassingTests, numPendingTests, numFailingTests, testExecError }) =>
          `conformance: ${basename(testFilePath, '.test.ts')} ${numPassingTests} passed, ` +
          `${numPendingTests} skipped${numFailingTests > 0 ? `, ${numFailingTests} failed` : ''}` +
          `${testExecError ? ', did not run' : ''}\n`,
      )
      .sort();
    process.stderr.write(lines.join(''));
    const file = process.env['CONFORMANCE_SUMMARY'];
    if (file) appendFileSync(file, lines.join(''));
  }
}
