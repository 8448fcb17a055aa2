/**
 * True when the event with this id comes after the other in their log; every id comes after `''`. Ids are `<ms>-<sequence>`, each up
 * to 20 digits, which a number can't hold: they are compared as text. Source: core/log/log-id.ts.
 */
export function isNewer(id: string, other: string): boolean {
  const [ms = '', sequence = ''] = id.split('-');
  const [otherMs = '', otherSequence = ''] = other.split('-');
  return ms === otherMs ? isGreater(sequence, otherSequence) : isGreater(ms, otherMs);
}

function isGreater(digits: string, others: string): boolean {
  return digits.length === others.length ? digits > others : digits.length > others.length;
}
