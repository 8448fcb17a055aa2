import { describe, expect, test } from '@jest/globals';
import { isOfReplica, isRefusedPermission } from '../../../../src/core/redis/redis-errors.js';

describe('errors of Redis', () => {
  // As Redis 6.2.14 and 7.0.15 answer them.
  test.each([
    "READONLY You can't write against a read only replica.",
    "READONLY You can't write against a read only replica. script: beef354d, on @user_script:1.",
    "ERR Error running script (call to f_beef354d): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica. ",
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
  ])('only a replica says: %s', (message) => {
    expect(isOfReplica(new Error(message))).toBe(true);
    expect(isRefusedPermission(new Error(message))).toBe(false);
  });

  test.each([
    "NOPERM this user has no permissions to run the 'info' command",
    'NOPERM this user has no permissions to access one of the channels used as arguments',
    "ERR Error running script (call to f_46bb8f52): @user_script:1: @user_script: 1: The user executing the script can't access at least one of the keys mentioned in the command arguments ",
    "ERR The user executing the script can't run this command or subcommand script: 2267970a, on @user_script:1.",
  ])('a permission is lacking: %s', (message) => {
    expect(isRefusedPermission(new Error(message))).toBe(true);
    expect(isOfReplica(new Error(message))).toBe(false);
  });

  test.each([
    'OOM command not allowed when used memory > maxmemory.',
    'ERR value is not READONLYish',
    'NOSCRIPT No matching script. Please use EVAL.',
    'LOADING Redis is loading the dataset in memory',
  ])('neither: %s', (message) => {
    expect(isOfReplica(new Error(message))).toBe(false);
    expect(isRefusedPermission(new Error(message))).toBe(false);
  });

  test('what is no error is none of them', () => {
    expect(isRefusedPermission('NOPERM no')).toBe(false);
  });
});
