import { isIPv6 } from 'node:net';
import type { Request } from 'express';
import { networkOf } from './limiter.ts';

/** From where a request comes, as far as it is kept. */
export type Origin = {
  requestId: string;
  /** The client's network: 24 bits of IPv4, 48 of IPv6. */
  ipPrefix: string;
  /** What the client said of itself, shortened. */
  device: string;
};

/** The origin of a request. */
export function originOf(request: Request): Origin {
  return {
    requestId: request.requestId,
    ipPrefix: ipPrefixOf(request.ip),
    device: deviceOf(request.get('user-agent')),
  };
}

/** The network of an address: enough to recognise one's own, too little to find a person. */
export function ipPrefixOf(ip: string | undefined): string {
  if (ip === undefined) return '';
  const network = networkOf(ip);
  if (isIPv6(network.replace(/\/64$/, ''))) {
    return `${network.split(':').slice(0, 3).join(':')}::/48`;
  }
  const [, head] = /^(\d+\.\d+\.\d+)\.\d+$/.exec(network) ?? [];
  return head === undefined ? '' : `${head}.0/24`;
}

const BROWSERS = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'];
const NAMES: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera' };
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

/** `Firefox on Linux`, or the first word of what the client said; '' for nothing. */
export function deviceOf(userAgent: string | undefined): string {
  const said = (userAgent ?? '').replace(/[^\x20-\x7e]/g, '').slice(0, 500);
  const browser = BROWSERS.find((name) => said.includes(`${name}/`));
  const [, system] = SYSTEMS.find(([form]) => form.test(said)) ?? [];
  if (browser === undefined) return (said.split(/[\s/]/, 1)[0] ?? '').slice(0, 40);
  const name = NAMES[browser] ?? browser;
  return system === undefined ? name : `${name} on ${system}`;
}
