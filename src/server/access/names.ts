import { ServiceError } from '../state/service-error.ts';

/** No colon: it ends the name in `Authorization: Basic`. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}$/u;
const LABEL_LENGTH_MAX = 100;

/** The name of a user or a group, in one spelling. @throws {ServiceError} INVALID_FIELD */
export function checkedName(name: string): string {
  const normalized = name.normalize('NFC');
  if (NAME.test(normalized)) return normalized;
  throw new ServiceError(
    'INVALID_FIELD',
    `Not a name: ${JSON.stringify(name.slice(0, LABEL_LENGTH_MAX))}; expected 1 to 64 letters, digits and . _ @ + -, beginning with a letter or a digit.`,
    { field: 'name' },
  );
}

/** What a token is called: any text of one line. @throws {ServiceError} INVALID_FIELD */
export function checkedLabel(label: string): string {
  const trimmed = label.normalize('NFC').trim();
  const isFit = trimmed.length > 0 && trimmed.length <= LABEL_LENGTH_MAX;
  if (isFit && !/\p{Cc}/u.test(trimmed)) return trimmed;
  throw new ServiceError(
    'INVALID_FIELD',
    `A name of a token has 1 to ${LABEL_LENGTH_MAX} characters, on one line.`,
    { field: 'name' },
  );
}
