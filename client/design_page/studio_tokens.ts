import { signal } from "@lit-labs/signals";
import { getStudioTokens, settingsChanged, type StudioTokens } from "#server/settings/contract.ts";
import { call } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { showStudioCss } from "#client/design/studio_sheet.ts";

const known = signal<StudioTokens | undefined>(undefined);

/** The studio's own tokens as they were last read; undefined before. */
export function studioTokens(): StudioTokens | undefined {
  return known.get();
}

/** Takes an answer of the studio and shows it. */
export function learnStudioTokens(tokens: StudioTokens): void {
  known.set(tokens);
  showStudioCss(tokens.css);
}

/** Shows the studio's tokens, and every change of them by anybody, until the returned function is called. */
export function followStudioTokens(): () => void {
  // Unreachable: what was kept from the last visit shows, and the socket's return reads again.
  const read = () => void call(getStudioTokens).then(learnStudioTokens, () => {});
  return live.listen({
    topics: ["studio"],
    event: ({ code }) => code === settingsChanged.code && read(),
    resync: read,
  });
}
