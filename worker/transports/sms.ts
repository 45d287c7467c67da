import { createGateway, type GatewayOptions } from './gateway.ts';
import type { Transport } from './transport.ts';

/** Text messages, through the operator's gateway: `{channel, id, to, text}`, the number without spaces. */
export function createSmsTransport(options: GatewayOptions): Transport {
  return createGateway('sms', options, ({ to, text }) => ({
    to: to.replace(/[^\d+]/g, ''),
    text,
  }));
}
