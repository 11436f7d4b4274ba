import { describe, expect, test } from '@jest/globals';
import {
  asAppendFailed,
  asUnavailable,
  outcomeUnknown,
  SqlFailure,
} from '../../../src/backends/sql/sql-errors.ts';

const LOCATION = 'postgresql://me:***@host/db';

function fromServer(code: string, severity = 'ERROR'): SqlFailure {
  return new SqlFailure(Object.assign(new Error(`failed with ${code}`), { code, severity }));
}

function fromNetwork(code: string): SqlFailure {
  return new SqlFailure(Object.assign(new Error(`connect ${code}`), { code }));
}

describe('failures of PostgreSQL', () => {
  test('of the network are passing, but for names and certificates', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE']) {
      expect(fromNetwork(code)).toMatchObject({ isPassing: true, isConnectionLost: true });
    }
    for (const code of ['ENOTFOUND', 'CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN']) {
      expect(fromNetwork(code).isPassing).toBe(false);
    }
    expect(new SqlFailure(new Error('Connection terminated unexpectedly'))).toMatchObject({
      isPassing: true,
      isConnectionLost: true,
    });
  });

  test('of a server that goes down as a whole lose the connection, whatever the state', () => {
    expect(fromServer('53100', 'PANIC')).toMatchObject({ isConnectionLost: true });
    expect(fromServer('53100')).toMatchObject({ isConnectionLost: false });
  });

  test('of the server are passing when the same may succeed a moment later', () => {
    for (const code of ['40001', '40P01', '53300', '57P01', '57P02', '57P03', '08006']) {
      expect(fromServer(code).isPassing).toBe(true);
    }
    for (const code of ['53100', '25006', '28P01', '3D000', '42501', '23505', '57014']) {
      expect(fromServer(code).isPassing).toBe(false);
    }
  });

  test('leave a commit in doubt only when the connection is lost with them', () => {
    for (const code of ['57P01', '57P02', '08006']) {
      expect(fromServer(code, 'FATAL').isConnectionLost).toBe(true);
    }
    for (const code of ['40001', '53100', '57014']) {
      expect(fromServer(code).isConnectionLost).toBe(false);
    }
    expect(fromServer('57P01').inDoubt()).toMatchObject({ isInDoubt: true, sqlState: '57P01' });
  });

  test('get the words of the contract, with the server and the cause', () => {
    const failure = fromServer('53100');
    const append = asAppendFailed(failure, LOCATION) as Error & { code: string };
    expect(append).toMatchObject({ code: 'STREAM_APPEND_FAILED', cause: failure.cause });
    expect(append.message).toContain(LOCATION);
    const read = asUnavailable(failure, LOCATION);
    expect(read).toMatchObject({ code: 'BACKEND_UNAVAILABLE', cause: failure.cause });
    expect(outcomeUnknown(failure, LOCATION).message).toContain('not known');
    const other = new TypeError('not of the server');
    expect(asAppendFailed(other, LOCATION)).toBe(other);
    expect(asUnavailable(other, LOCATION)).toBe(other);
  });

  test('of several addresses give the reason of the first', () => {
    const both = new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]);
    expect(new SqlFailure(both).message).toContain('ECONNREFUSED');
  });
});
