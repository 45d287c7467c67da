/** How a try to send went. */
export type SendOutcome =
  | { kind: 'sent'; reference?: string }
  /** Trying again is no use. */
  | {
      kind: 'rejected';
      reason: string;
      /** It is the address that does not exist: nothing else arrives there either. */
      isBadAddress?: boolean;
    }
  /** To be tried again. */
  | {
      kind: 'failed';
      reason: string;
      /** It is the transport that cannot be reached or used: nothing else gets through either. */
      isDown?: boolean;
      /** The line was lost in the middle: by this message or by any. */
      isLost?: boolean;
    };

/** Something to be sent to one person. */
export interface Message {
  /** The same whenever this is sent again, so that receivers can recognise a repetition. */
  id: string;
  /** Address or number. */
  to: string;
  subject: string;
  text: string;
}

/** A way to reach people outside. */
export interface Transport<M extends Message = Message> {
  /** Sends; never throws. */
  send(message: M): Promise<SendOutcome>;
  close(): Promise<void>;
}

/** The channels that need a transport. */
export const channels = ['email', 'sms', 'chat'] as const;
export type Channel = (typeof channels)[number];
