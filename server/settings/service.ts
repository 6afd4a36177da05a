import { audit } from "#server/audit/service.ts";
import type { Actor } from "#server/core/actor.ts";
import { measurePairs } from "#server/core/contrast.ts";
import { readTokenFiles } from "#server/core/design_tokens.ts";
import { AppError, type FieldError } from "#server/core/errors.ts";
import { studioCss } from "#server/core/studio_css.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { settingsChanged, type StudioTokens, type StudioTokensInput, type TokenFile } from "./contract.ts";
import * as queries from "./queries.ts";
import { readThemeFiles, type ThemeFiles } from "./theme_files.ts";

const CODE = "design.tokens";
const MOST_BYTES = 200_000;
const MOST_FAULTS = 50;

export async function openStudioTokens(db: Queryable): Promise<StudioTokens> {
  const row = await queries.findSetting(db, CODE);
  if (!row) return { themes: {}, changedAt: null, changedBy: null, css: "" };
  const themes = row.value as StudioTokens["themes"]; // As saveStudioTokens() checked it.
  const layers = (await readThemeFiles()).map((theme) => ({ ...theme, own: themes[theme.name] ?? {} }));
  return { themes, changedAt: row.updatedAt, changedBy: row.login, css: studioCss(layers) };
}

/**
 * Keeps the studio's tokens. Refuses what is no token file, tokens that Seedloop doesn't have (but for a group
 * "studio", to refer to), and words that would be hard to read, unless that is wished.
 */
export async function saveStudioTokens(
  db: Db,
  actor: Actor,
  input: StudioTokensInput,
): Promise<StudioTokens> {
  if (JSON.stringify(input.themes).length > MOST_BYTES) {
    throw new AppError(
      "too_large",
      `Cannot save these tokens: they are longer than ${MOST_BYTES} characters`,
    );
  }
  await refuseFaults(input);
  return await transact(db, async (tx) => {
    await queries.lockSetting(tx, CODE);
    const before = await openStudioTokens(tx);
    if (before.changedAt !== input.basedOn) {
      throw new AppError(
        "conflict",
        `Cannot save these tokens: ${
          before.changedBy ?? "someone"
        } saved others since. Load them and change again`,
        { details: { changedAt: before.changedAt } },
      );
    }
    await queries.putSetting(tx, { code: CODE, kind: "design", value: input.themes, userId: actor.userId });
    await audit(tx, actor, "settings.change", {
      facts: { code: CODE, before: before.themes, hasLowContrast: input.allowsLowContrast ?? false },
    });
    await announce(tx, settingsChanged, "studio", { code: CODE });
    return await openStudioTokens(tx);
  });
}

async function refuseFaults({ themes, allowsLowContrast = false }: StudioTokensInput): Promise<void> {
  const known = await readThemeFiles();
  const fields = Object.entries(themes).flatMap(([name, file]) => {
    const theme = known.find((one) => one.name === name);
    return theme ? faultsOf(theme, file, allowsLowContrast) : [{
      field: `/body/themes/${name}`,
      message: `is no theme: there are ${known.map((one) => one.name).join(", ")}`,
    }];
  });
  if (fields.length === 0) return;
  throw new AppError("invalid", "Cannot save these tokens: mend the fields that are named", {
    fields: fields.slice(0, MOST_FAULTS),
  });
}

function faultsOf(theme: ThemeFiles, file: TokenFile, allowsLowContrast: boolean): FieldError[] {
  const at = (path: string) => `/body/themes/${theme.name}${path ? `/${path.replaceAll(".", "/")}` : ""}`;
  const { tokens: own } = readTokenFiles(theme.files);
  const { tokens, faults } = readTokenFiles([...theme.files, file]);
  const wrong = faults.map(({ path, problem }) => ({ field: at(path), message: problem }));
  const strange = [...tokens.keys()].filter((path) => !own.has(path) && !path.startsWith("studio."))
    .map((path) => ({
      field: at(path),
      message: "is no token of Seedloop: put your own into the group studio",
    }));
  const unreadable = allowsLowContrast ? [] : measurePairs(tokens, theme.isHighContrast)
    .filter(({ ratio, needed }) => ratio < needed)
    .map(({ text, ground, ratio, needed }) => ({
      field: at(text),
      message: `has a contrast of ${ratio.toFixed(2)} on ${ground} and needs ${needed}`,
    }));
  return [...wrong, ...strange, ...unreadable];
}
