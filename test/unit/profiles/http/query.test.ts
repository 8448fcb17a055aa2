import { expect, test } from '@jest/globals';
import { repeatedIn, roomsIn } from '../../../../src/profiles/http/query.js';

test.each([
  ['', undefined],
  ['sid=1&transport=polling&EIO=4', undefined],
  ['sid=1&sid=1', 'sid'],
  ['a=1&a=2&sid=1', undefined],
  ['rooms=a&rooms=b', undefined],
  ['EIO=4&%45IO=3', 'EIO'],
  ['eio=4&EIO=4', undefined],
])('of %j, %j is repeated', (query, name) => {
  expect(repeatedIn(new URLSearchParams(query))).toBe(name);
});

test.each([
  ['', undefined],
  ['rooms=', undefined],
  ['rooms=&rooms=', undefined],
  ['rooms=a', ['a']],
  ['rooms=a,%20b&rooms=c', ['a', 'b', 'c']],
  ['rooms=&rooms=c', ['c']],
  ['rooms=a,', ['a', '']],
  ['room=a', undefined],
])('%j names the rooms %j', (query, rooms) => {
  expect(roomsIn(new URLSearchParams(query))).toEqual(rooms);
});
