import { type Misdeed, respond } from "./fault_misdeed.ts";
import { type FakePrompt, historyOf, successOf } from "./fault_prompt.ts";
import {
  answerRightly,
  type FakeComfy,
  type JsonAnswer,
  OBJECT_INFO,
  type SubmitBody,
} from "./fault_routes.ts";
import { acceptSocket, close, drainSocket, type FakeSocket } from "./fault_socket.ts";
import { ConnectionReader, type RawRequest, readRequest } from "./raw_http.ts";

const PNG = new Uint8Array([
  0x89,
  0x50,
  0x4e,
  0x47,
  13,
  10,
  26,
  10,
  ...crypto.getRandomValues(new Uint8Array(500)),
]);

/** A stand-in for a ComfyUI on raw TCP that does right what a bridge needs, and wrong what a test asks for. */
export class FaultServer implements FakeComfy, AsyncDisposable {
  version = "0.3.64";
  devices: Record<string, unknown>[] = [];
  objectInfo: Record<string, unknown> = OBJECT_INFO;
  readonly prompts = new Map<string, FakePrompt>();
  readonly sockets: FakeSocket[] = [];
  /** Every request that came: "POST /prompt". */
  readonly requests: string[] = [];
  readonly uploads = new Map<string, Uint8Array>();
  readonly interrupted: string[] = [];
  /** Socket connections ever made. */
  connections = 0;
  misbehave: (request: RawRequest) => Misdeed | undefined = () => undefined;
  /** What happens once a prompt was accepted; by default it runs to its end. */
  onPrompt: (prompt: FakePrompt) => void | Promise<void> = (prompt) => this.finish(prompt);
  onSocket: (socket: FakeSocket) => void | Promise<void> = () => {};
  submitAnswer: (prompt: FakePrompt) => JsonAnswer | undefined = () => undefined;
  /** Whether an interrupt works. */
  onInterrupt: (promptId: string | undefined) => void = (promptId) => this.interruptRunning(promptId);
  file = PNG;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  readonly #serving = new Set<Promise<void>>();
  #counter = 0;
  #isUp = true;
  #waiters: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  constructor() {
    this.#accepting = this.#accept();
  }

  get url(): string {
    const { port } = this.#listener.addr as Deno.NetAddr; // it listens on TCP
    return `http://127.0.0.1:${port}`;
  }

  /** Resolves when `holds`, looked at after each request and socket. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ holds, resolve });
    await promise;
  }

  count(request: string): number {
    return this.requests.filter((one) => one === request).length;
  }

  /** Runs a prompt to its end with all messages that ComfyUI sends. */
  async finish(prompt: FakePrompt): Promise<void> {
    await this.begin(prompt);
    for (const node of Object.keys(prompt.graph)) {
      await this.tell(prompt, "executing", { node, display_node: node });
    }
    await this.end(prompt);
  }

  async begin(prompt: FakePrompt): Promise<void> {
    prompt.state = "running";
    await this.tell(prompt, "execution_start", { timestamp: Date.now() });
    await this.tell(prompt, "execution_cached", { nodes: [], timestamp: Date.now() });
  }

  /** Writes history first, then tells the end, in ComfyUI's order. */
  async end(prompt: FakePrompt, history: Record<string, unknown> = successOf(prompt)): Promise<void> {
    await this.tell(prompt, "execution_success", { timestamp: Date.now() });
    this.endSilently(prompt, history);
    await this.broadcastStatus();
    await this.tell(prompt, "executing", { node: null });
  }

  endSilently(prompt: FakePrompt, history: Record<string, unknown> = successOf(prompt)): void {
    prompt.state = "done";
    prompt.history = history;
  }

  interruptRunning(promptId: string | undefined): void {
    const running = [...this.prompts.values()].find((one) => one.state === "running");
    if (running === undefined || (promptId !== undefined && running.promptId !== promptId)) return;
    this.interrupted.push(running.promptId);
    const message = ["execution_interrupted", { prompt_id: running.promptId, timestamp: Date.now() }];
    this.endSilently(running, historyOf(running, {}, "error", [message]));
  }

  /** Takes a prompt in, unless `submitAnswer` says otherwise, and lets `onPrompt` see to it. */
  submit(body: SubmitBody): JsonAnswer {
    const prompt: FakePrompt = {
      promptId: body.prompt_id,
      clientId: body.client_id,
      graph: body.prompt,
      state: "pending",
      history: undefined,
    };
    const own = this.submitAnswer(prompt);
    if (own !== undefined && own.status !== 200) return own;
    this.prompts.set(prompt.promptId, prompt);
    const run = this.broadcastStatus().then(() => this.onPrompt(prompt)).finally(() =>
      this.#serving.delete(run)
    );
    this.#serving.add(run);
    const body200 = { prompt_id: prompt.promptId, number: this.#counter++, node_errors: {} };
    return own ?? { status: 200, body: body200 };
  }

  /** Old servers don't know the id and stop whatever runs. */
  interrupt(promptId: string | undefined): void {
    this.onInterrupt(this.version === "0.3.40" ? undefined : promptId);
  }

  dequeue(promptId: string): void {
    if (this.prompts.get(promptId)?.state === "pending") this.prompts.delete(promptId);
  }

  async tell(prompt: FakePrompt, type: string, data: Record<string, unknown>): Promise<void> {
    for (const socket of this.sockets) {
      if (socket.clientId === prompt.clientId) {
        await socket.event(type, { ...data, prompt_id: prompt.promptId });
      }
    }
  }

  async broadcastStatus(): Promise<void> {
    const left = [...this.prompts.values()].filter((one) => one.state !== "done").length;
    for (const socket of this.sockets) {
      await socket.event("status", { status: { exec_info: { queue_remaining: left } } });
    }
  }

  /** The process dies and comes back with nothing in memory; files of input and output stay. */
  restart(): void {
    this.prompts.clear();
    this.dropSockets();
  }

  dropSockets(): void {
    for (const socket of this.sockets.splice(0)) socket.drop();
  }

  /** Ends for good, as a machine that is switched off; again does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#accepting;
    await Promise.all(this.#serving);
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        const serving = this.#serve(connection).finally(() => {
          this.#connections.delete(connection);
          this.#serving.delete(serving);
          close(connection);
        });
        this.#serving.add(serving);
      }
    } catch {
      // The listener was closed.
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const reader = new ConnectionReader(connection);
    const request = await readRequest(reader);
    if (request === undefined) return;
    if (request.path === "/ws") return await this.#serveSocket(request, reader);
    const misdeed = this.misbehave(request);
    this.requests.push(`${request.method} ${request.path.replace(/^(\/history|\/view|\/jobs)\/.*/, "$1")}`);
    await respond(reader, request, misdeed, () => answerRightly(this, request));
    this.#look();
  }

  async #serveSocket(request: RawRequest, reader: ConnectionReader): Promise<void> {
    const socket = await acceptSocket(request, reader.connection);
    this.sockets.push(socket);
    this.connections++;
    await this.onSocket(socket);
    this.#look();
    await drainSocket(socket, reader);
    const at = this.sockets.indexOf(socket);
    if (at >= 0) this.sockets.splice(at, 1);
    this.#look();
  }

  #look(): void {
    this.#waiters = this.#waiters.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }
}
