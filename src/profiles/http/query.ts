/** Parameters that have one value wherever a request of flipgate's, or of Engine.IO, has them. */
const SINGLE: ReadonlySet<string> = new Set([
  'access_token',
  'after',
  'apiKey',
  'client',
  'EIO',
  'from',
  'lastEventId',
  'limit',
  'sid',
  'transport',
]);

/** The name of a parameter that has one value but stands in a query more than once; undefined where there is none. */
export function repeatedIn(query: URLSearchParams): string | undefined {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** The rooms of `rooms=a,b&rooms=c`; undefined where none is named. An empty parameter names none. */
export function roomsIn(query: URLSearchParams): readonly string[] | undefined {
  const lists = query.getAll('rooms').filter((list) => list !== '');
  return lists.length === 0 ? undefined : lists.flatMap((list) => list.split(',').map((room) => room.trim()));
}
