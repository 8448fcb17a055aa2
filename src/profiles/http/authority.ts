/** The scheme and the authority at the beginning of an http or https URL. */
const URL_START = /^(https?):\/\/([^/?#]*)/i;
/** A host, in brackets where it is an IPv6 address, the dot of the DNS root, and a port. No user, no path. */
const AUTHORITY = /^(?:\[([\d:a-f.]+)\]|([^\s:@[\]\\/?#,]+?)\.?)(?::(\d*))?$/i;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** A host and its port, in the form in which they are compared. */
interface Authority {
  /** Lower case, without brackets and without the dot at its end. */
  readonly name: string;
  /** Undefined where none is written. */
  readonly port: number | undefined;
}

/**
 * Reads the host of a `Host` header, in lower case, without port, brackets and the dot at its end. Undefined where the header
 * holds anything else than one host.
 */
export function hostName(host: string): string | undefined {
  return parse(host)?.name;
}

/**
 * True when a URL (an origin, a referrer, a request's target) leads to the host and port that `host`, a `Host` header, names.
 * Letter case, the default port of the URL's scheme, and a dot at the end of the name make no difference.
 */
export function leadsTo(url: string, host: string | undefined): boolean {
  const [, scheme = '', authority = ''] = URL_START.exec(url) ?? [];
  const [there, here] = [parse(authority), parse(host ?? '')];
  if (there === undefined || here === undefined || there.name !== here.name) return false;
  const standard = DEFAULT_PORTS[scheme.toLowerCase()];
  return (there.port ?? standard) === (here.port ?? standard);
}

/** True for a request's target that names a host before its path. Source: RFC 9112, section 3.2.2. */
export function isAbsolute(target: string): boolean {
  return URL_START.test(target);
}

function parse(authority: string): Authority | undefined {
  const match = AUTHORITY.exec(authority);
  if (match === null) return undefined;
  const [, bracketed, plain = '', port = ''] = match;
  return { name: (bracketed ?? plain).toLowerCase(), port: port === '' ? undefined : Number(port) };
}
