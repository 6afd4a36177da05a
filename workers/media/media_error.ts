/** Why a media command or a look into a file failed, by what is to be done about it. */
export type MediaFailure =
  | "truncated" // the end of the file is missing
  | "not_media" // the content is not what was asked for
  | "unsupported" // real media, but of a kind that is not taken
  | "missing" // the file is not there
  | "no_space"
  | "out_of_memory"
  | "timeout"
  | "crashed" // the tool died; another run may succeed
  | "failed"; // anything else the tool refused

/** A media command or check that failed; the message is a sentence for people. */
export class MediaError extends Error {
  override readonly name = "MediaError";
  /** @param stderrTail The last lines that the tool wrote, for the log. */
  constructor(
    message: string,
    readonly failure: MediaFailure,
    readonly stderrTail = "",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same input fails again however often it is tried. */
  get isInputsFault(): boolean {
    return this.failure === "truncated" || this.failure === "not_media" || this.failure === "unsupported";
  }
}

interface Sign {
  readonly pattern: RegExp;
  readonly failure: MediaFailure;
  readonly sentence: string;
}

const SIGNS: readonly Sign[] = [
  {
    pattern: /No space left on device/i,
    failure: "no_space",
    sentence: "The disk is full: free some space and try again",
  },
  {
    pattern: /Cannot allocate memory|memory access out of bounds|Out of memory/i,
    failure: "out_of_memory",
    sentence: "The media tool ran out of memory on this file: use a smaller size, or install native ffmpeg",
  },
  {
    pattern: /moov atom not found|partial file|Truncat(ed|ing)|End of file|overread/i,
    failure: "truncated",
    sentence: "The file is truncated: its end is missing. Copy or render it again",
  },
  {
    pattern:
      /Invalid data found when processing input|Invalid PNG signature|could not find codec parameters/i,
    failure: "not_media",
    sentence: "The file holds no media that can be read: it is damaged or is not what its name says",
  },
  {
    pattern:
      /Decoder .* not found|Unknown (decoder|encoder)|codec not currently supported|Decoding requested, but no decoder/i,
    failure: "unsupported",
    sentence:
      "The file's codec can't be decoded here: convert it to H.264 in MP4 first, or install native ffmpeg",
  },
  {
    pattern: /No such file or directory/i,
    failure: "missing",
    sentence: "A file that the media tool should read is not there",
  },
  {
    pattern: /does not contain any stream|matches no streams|Stream map .* matches no streams/i,
    failure: "not_media",
    sentence: "The file holds no picture",
  },
];

/** Reads a failed command's last words into a MediaError whose message says the reason and the mend. */
export function explainFailure(tool: string, code: number, stderrTail: string): MediaError {
  const sign = SIGNS.find((each) => each.pattern.test(stderrTail));
  if (sign) return new MediaError(sign.sentence, sign.failure, stderrTail);
  const last = stderrTail.trim().split("\n").at(-1) ?? "";
  return new MediaError(
    `${tool} could not do its work (exit ${code})${last ? `: ${last}` : ""}`,
    "failed",
    stderrTail,
  );
}
