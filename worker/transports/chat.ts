import { createGateway, type GatewayOptions } from './gateway.ts';
import type { Transport } from './transport.ts';

/** Chat of doctors and staff, through the operator's gateway, by their e-mail address: `{channel, id, to, title, text}`. */
export function createChatTransport(options: GatewayOptions): Transport {
  return createGateway('chat', options, ({ to, subject, text }) => ({ to, title: subject, text }));
}
