const MASK = '***';

/** True for the URL of something that is reached by HTTP. */
export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** A URL with its user, its password and its query masked: each may hold a secret. Text that is no URL is masked whole. */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const url = new URL(text);
  if (url.username === '' && url.password === '' && url.search === '') return text;
  if (url.username !== '') url.username = MASK;
  if (url.password !== '') url.password = MASK;
  if (url.search !== '') url.search = MASK;
  return url.href;
}
