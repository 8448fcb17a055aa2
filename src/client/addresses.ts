/** An address as the SDK takes it, absolute and without a slash at its end; in a page it may be relative to that. */
export function absolute(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  return new URL(url, page).href.replace(/\/+$/, '');
}
