import { nameKey } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';

/** Hashing more would only cost time. */
export const PASSWORD_LENGTH_MAX = 1024;

/** The most used passwords that are long enough to pass otherwise, without case. */
const COMMON: ReadonlySet<string> = new Set(
  `1234567890 0123456789 0987654321 9876543210 1234567891 12345678910 123456789a 123456789q
  1234567890a 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6 1qaz2wsx3edc 1qazxsw23edc 123qweasdzxc
  qwertyuiop qwertyuiop[] qwerty12345 qwerty123456 qwertyuiop123 asdfghjkl; asdfghjkl123 zxcvbnm123
  password12 password123 password1234 password12345 password123456 passw0rd123 p@ssword123 p@ssw0rd123
  passwordpassword mypassword changeme123 changemenow letmein123 letmein1234 welcome123 welcome1234
  iloveyou12 iloveyou123 iloveyou1234 sunshine123 princess123 football123 baseball123 superman123
  administrator administrator1 admin12345 admin123456 adminadmin adminpassword root123456 test123456
  testtesttest default123 secret1234 secretsecret abcd123456 abcdefghij abc1234567 abcdefghijkl
  1111111111 0000000000 1212121212 1122334455 1029384756 11223344556677 147258369 147258369a 1357924680
  qazwsxedcrfv qazwsx123456 zaq12wsxcde3 a123456789 aa12345678 asdf123456 asd123456789 monkey12345
  dragon12345 trustno1234 correcthorsebatterystaple datastream
  datastream1 datastream123 datastreamengine`.split(/\s+/),
);

/**
 * Checks a new password. A text of fewer than four different characters, or one ascending or descending
 * run, is as bad as a common one. @throws {ServiceError} WEAK_PASSWORD
 */
export function assertGoodPassword(
  password: string,
  { name, lengthMin }: { readonly name: string; readonly lengthMin: number },
): void {
  const characters = [...password];
  const plain = password.normalize('NFKC').toLowerCase();
  if (characters.length < lengthMin) throw weak(`has at least ${lengthMin} characters`);
  if (password.length > PASSWORD_LENGTH_MAX) {
    throw weak(`has at most ${PASSWORD_LENGTH_MAX} characters`);
  }
  if (plain.trim() === nameKey(name)) throw weak('is not the name of its user');
  if (COMMON.has(plain) || new Set(characters).size < 4 || isRun(plain)) {
    throw weak('is not one of those that everybody tries first');
  }
}

/** Whether each character follows the one before it, as in `abcdef` or `987654`. */
function isRun(text: string): boolean {
  const steps = [...text]
    .slice(1)
    .map((character, i) => character.charCodeAt(0) - text.charCodeAt(i));
  return steps.every((step) => step === 1) || steps.every((step) => step === -1);
}

function weak(rule: string): ServiceError {
  return new ServiceError('WEAK_PASSWORD', `A password ${rule}.`, { field: 'password' });
}
