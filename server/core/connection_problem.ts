import { errorMessage } from "./errors.ts";

/**
 * Why a connection failed, as a clause for the one who set up the other machine: no address (the caller has named
 * it), no layers of the network stack. Of nested causes the innermost counts; an unknown one is told as it is.
 */
export function connectionProblem(problem: unknown): string {
  let root = problem;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  const text = errorMessage(root);
  return KNOWN.find(([pattern]) => pattern.test(text))?.[1] ?? text;
}

/** Texts of Deno 2.9; on another version a pattern that fits no more only costs the plainer words. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [
    /connection refused/i,
    "nothing listens there (connection refused): is it started, and is the port right?",
  ],
  [/no route to host|host is unreachable|network is unreachable/i, "no way leads to that machine: is it on?"],
  [/failed to lookup address|name or service not known|dns error/i, "its name is not known on this network"],
  [
    /certificate|UnknownIssuer/i,
    "its certificate is not trusted here: use http://, or a certificate that is",
  ],
  [/InvalidContentType|corrupt message|wrong version number/i, "it does not speak HTTPS: use http://"],
  [/connection reset|connection closed|broken pipe|unexpected eof/i, "it broke the connection off"],
];
