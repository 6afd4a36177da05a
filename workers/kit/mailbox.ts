/** A message that can't be cloned is handed to this instead of going over, with what the runtime said of it. */
type Refused<Message> = (message: Message, error: unknown) => void;

/**
 * One end of a port between two threads. What is posted before the current turn of work gives way goes over together,
 * in order, and comes out one by one: waking the other thread costs more than what most messages say.
 */
export class Mailbox<Message> {
  readonly #port: MessagePort;
  readonly #refused: Refused<Message> | undefined;
  #waiting: Message[] = [];
  #isDue = false;

  constructor(port: MessagePort, receive: (message: unknown) => void, refused?: Refused<Message>) {
    this.#port = port;
    this.#refused = refused;
    port.onmessage = ({ data }) => {
      for (const message of data as unknown[]) receive(message);
    };
    port.start();
  }

  /** What has something to transfer goes at once, after what waits. */
  post(message: Message, transfer: Transferable[] = []): void {
    if (transfer.length > 0) {
      this.#flush();
      return this.#port.postMessage([message], transfer);
    }
    this.#waiting.push(message);
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.#flush());
  }

  /** Nothing comes out any more. */
  close(): void {
    this.#flush();
    this.#port.onmessage = null;
    this.#port.close();
  }

  #flush(): void {
    this.#isDue = false;
    const messages = this.#waiting;
    if (messages.length === 0) return;
    this.#waiting = [];
    try {
      this.#port.postMessage(messages);
    } catch (error) {
      if (messages.length > 1) this.#postEach(messages);
      else if (this.#refused) this.#refused(messages[0]!, error);
      else throw error;
    }
  }

  /** One of them can't be cloned, which must not keep the others. */
  #postEach(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#waiting = [message];
      this.#flush();
    }
  }
}
