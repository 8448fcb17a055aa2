/** The address a process was to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Why the process can't listen at `HOST` and `PORT`, and what to do, on one line, by the error that listening ended with. Undefined for
 * an error of another kind, whose stack is needed.
 */
export function whyNotListening(error: unknown, { host, port }: ListenAddress): string | undefined {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string' || typeof syscall !== 'string' || !SYSCALLS.includes(syscall))
    return undefined;
  return REASONS[code]?.(host, String(port));
}

/** Of listening; connections to Redis and others fail with `connect`. */
const SYSCALLS: readonly string[] = ['listen', 'bind', 'getaddrinfo'];

type Reason = (host: string, port: string) => string;

const unknownHost: Reason = (host) =>
  `HOST ${host} is not found: no address is known for this name. Set HOST to an address of this machine, such as 127.0.0.1, or correct its name.`;

const foreignHost: Reason = (host) =>
  `HOST ${host} is no address of this machine. Set HOST to one that it has, such as 127.0.0.1, or 0.0.0.0 for all.`;

const REASONS: Readonly<Record<string, Reason>> = {
  EADDRINUSE: (host, port) =>
    `Port ${port} on ${host} is in use (EADDRINUSE): another program listens there. Set PORT to a free port, or stop the other program.`,
  EACCES: (host, port) =>
    `Port ${port} on ${host} is not allowed to this user (EACCES): ports below 1024 take a privilege. Set PORT to 1024 or more, or give the process CAP_NET_BIND_SERVICE.`,
  EPERM: (host, port) =>
    `Port ${port} on ${host} is not allowed to this process (EPERM). Set another PORT, or have the rule that forbids it changed.`,
  EADDRNOTAVAIL: (...at) => `${foreignHost(...at)} (EADDRNOTAVAIL)`,
  EINVAL: (...at) => `${foreignHost(...at)} (EINVAL)`,
  EAFNOSUPPORT: (host) =>
    `HOST ${host} is of a kind that this machine does not have (EAFNOSUPPORT): IPv6 may be off. Set HOST to an IPv4 address.`,
  ENOTFOUND: (...at) => `${unknownHost(...at)} (ENOTFOUND)`,
  EAI_AGAIN: (host) =>
    `HOST ${host} could not be looked up (EAI_AGAIN): the name server does not answer. Set HOST to an address, or try again.`,
};
