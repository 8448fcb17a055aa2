/** What is wrong with a certificate, by the code that a request fails with. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};
/** Codes of a certificate that nobody who is trusted here has signed. */
const UNTRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
];

/** Why no answer came from `address`, for people, by what `fetch` threw. */
export function whyNoAnswer(address: string, thrown: unknown): string {
  const { cause, name } = thrown as { cause?: { code?: unknown }; name?: unknown };
  const code = typeof cause?.code === 'string' ? cause.code : '';
  const fault = CERTIFICATE_FAULTS[code];
  if (fault !== undefined) return `${address} can not be trusted: ${fault} (${code})`;
  if (UNTRUSTED.includes(code)) {
    return `${address} can not be trusted: its certificate is not signed by an authority that is known here (${code}). Name the authority, or the certificate itself: NODE_EXTRA_CA_CERTS=/path/ca.pem`;
  }
  const reason = name === 'TimeoutError' ? 'no answer in time' : code || String(thrown);
  return `no gateway answers at ${address} (${reason})`;
}
