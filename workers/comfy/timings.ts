/** How long the bridge waits for what, in milliseconds. Tests pass short ones. */
export interface Timings {
  /** A small call: connection, answer and body. */
  readonly callMs: number;
  /** `/object_info`: it scans the model folders and may be several megabytes. */
  readonly objectInfoMs: number;
  /** A streamed body may rest this long between two chunks. */
  readonly stallMs: number;
  /** How often the truth about a prompt is read again, whatever the socket says. */
  readonly pollMs: number;
  /** How soon history is read again after the socket hinted that the prompt has ended. */
  readonly hintMs: number;
  /** A worker that answers nothing for so long is gone. */
  readonly goneAfterMs: number;
  /** A socket without a frame for so long, while a prompt runs, is taken for half-open. */
  readonly silentMs: number;
  /** Every submit is followed by a `status` broadcast; a socket that shows none by then is dead. */
  readonly statusMs: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** From the start of a connection to its first frame. */
  readonly firstFrameMs: number;
  /** How long the end of an old socket is awaited before it is given up, with its client id. */
  readonly closeMs: number;
  /** A cancel that showed no effect is sent again after this. */
  readonly cancelAgainMs: number;
  /** How long an aborted job itself waits for the end of its prompt; the rest is done behind its back. */
  readonly cancelWaitMs: number;
  /** After this a prompt that can't be cancelled is left alone. */
  readonly cancelGiveUpMs: number;
  /** How often a watched worker is looked at. */
  readonly watchMs: number;
  /** How often the model lists of a watched worker are read. */
  readonly modelsMs: number;
}

export const TIMINGS: Timings = {
  callMs: 15_000,
  objectInfoMs: 90_000,
  stallMs: 30_000,
  pollMs: 3_000,
  hintMs: 150,
  goneAfterMs: 45_000,
  silentMs: 30_000,
  statusMs: 2_000,
  reconnectMinMs: 250,
  reconnectMaxMs: 15_000,
  firstFrameMs: 8_000,
  closeMs: 1_500,
  cancelAgainMs: 2_000,
  cancelWaitMs: 1_500,
  cancelGiveUpMs: 900_000,
  watchMs: 1_000,
  modelsMs: 60_000,
};
