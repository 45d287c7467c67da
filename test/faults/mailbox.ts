import { type MailServer, startMailServer } from '../delivery/mail-server.ts';

/** A mail server that counts what it took by Message-ID. */
export interface Mailbox extends Pick<MailServer, 'port' | 'close'> {
  /** How often each mail came. */
  taken: Map<string, number>;
  /** Mails taken, repetitions included. */
  total(): number;
}

export interface MailboxOptions {
  /** Called when a mail is ours and its sender does not know it yet. */
  onTaken?: (total: number) => void;
  /** How long an answer takes. */
  slowMs?: number;
  /** What an answer waits for before that. */
  answersAfter?: Promise<unknown>;
  port?: number;
}

export async function openMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const taken = new Map<string, number>();
  let total = 0;
  const server = await startMailServer(
    {
      onData(stream, _session, done) {
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
        });
        stream.on('end', () => {
          const id = /^message-id: (.*)$/im.exec(text)?.[1]?.trim() ?? '';
          taken.set(id, (taken.get(id) ?? 0) + 1);
          total += 1;
          options.onTaken?.(total);
          const answer = () => setTimeout(done, options.slowMs ?? 0);
          if (options.answersAfter) options.answersAfter.then(answer);
          else answer();
        });
      },
    },
    options.port,
  );
  return { port: server.port, close: server.close, taken, total: () => total };
}

/** How processes are told of it. */
export function mailVariables(mailbox: Pick<Mailbox, 'port'>) {
  return {
    SMTP_URL: `smtp://127.0.0.1:${mailbox.port}`,
    MAIL_FROM: 'Hospital <no-reply@hospital.example>',
  };
}
