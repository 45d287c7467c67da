// Counts the tests of a report of vitest, and notes the failed ones with what they said. A file that
// could not run counts as one failed test.
// Arguments: report, name of the step, file of failures. Prints: passed, failed.
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [report, step, failures] = process.argv.slice(2);
const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
const failed = testResults.flatMap(({ name: file, status, message, assertionResults }) => {
  const tests = assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => ({ file, name: test.fullName, said: test.failureMessages.join('\n') }));
  const isBroken = status === 'failed' && tests.length === 0;
  return isBroken ? [{ file, name: 'the file itself', said: message }] : tests;
});
for (const { file, name, said } of failed) {
  const lines = said.split('\n').filter((line) => !line.includes('/node_modules/'));
  const short = lines.slice(0, 12).join('\n    ');
  appendFileSync(failures, `${step}: ${relative('.', file)} > ${name}\n    ${short}\n`);
}
console.log(numPassedTests, failed.length);
