import { isLoopback } from '../config/address.js';

/**
 * True for what keys may be fetched from: an `https` URL, or `http` to this machine, without a user and password. Who can
 * alter what comes from there can sign tokens.
 */
export function isJwksUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')));
}
