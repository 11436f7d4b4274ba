import { expect, test } from '@jest/globals';
import { MongoBulkWriteError, MongoNetworkError, MongoWriteConcernError } from 'mongodb';
import { isPassing } from '../../../src/backends/mongodb/mongodb-errors.ts';

type BulkFailure = ConstructorParameters<typeof MongoBulkWriteError>[0];
type BulkResult = ConstructorParameters<typeof MongoBulkWriteError>[1];

function bulkError(error: object): MongoBulkWriteError {
  return new MongoBulkWriteError(error as BulkFailure, {} as BulkResult);
}

test('a connection lost in the middle of a bulk passes as any other does', () => {
  expect(isPassing(new MongoNetworkError('lost'))).toBe(true);
  expect(isPassing(bulkError(new MongoNetworkError('lost')))).toBe(true);
  expect(isPassing(bulkError({ code: 11_000, message: 'duplicate' }))).toBe(false);
});

test('a write that the other members of the set have not confirmed is repeated', () => {
  const writeConcernError = { code: 100, errmsg: 'not enough members' };
  expect(isPassing(new MongoWriteConcernError({ ok: 1, writeConcernError }))).toBe(true);
});
