import { createChatTransport } from './chat.ts';
import { withCircuit } from './circuit.ts';
import { createEmailTransport, type EmailMessage, type EmailTransport } from './email.ts';
import type { GatewayOptions } from './gateway.ts';
import { createSmsTransport } from './sms.ts';
import { type Channel, channels, type Transport } from './transport.ts';

/** The ways to reach people outside that this installation has. */
export interface Transports {
  email: EmailTransport | undefined;
  sms: Transport | undefined;
  chat: Transport | undefined;
  /** True the first time that it is asked of a channel, so that what is missing is told once. */
  isNewsThatMissing(channel: Channel): boolean;
  close(): Promise<void>;
}

export interface TransportOptions {
  email?: { url: string; from: string } | undefined;
  sms?: GatewayOptions | undefined;
  chat?: GatewayOptions | undefined;
}

/** Opens the transports that are configured; nothing is connected before the first message. */
export function openTransports({ email, sms, chat }: TransportOptions): Transports {
  const told = new Set<Channel>();
  const transports: Transports = {
    email: email && withCircuit<EmailMessage, EmailTransport>(createEmailTransport(email)),
    sms: sms && withCircuit(createSmsTransport(sms)),
    chat: chat && withCircuit(createChatTransport(chat)),
    isNewsThatMissing(channel) {
      return !told.has(channel) && told.add(channel).size > 0;
    },
    async close() {
      await Promise.all(channels.map((channel) => transports[channel]?.close()));
    },
  };
  return transports;
}
