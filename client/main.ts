import { applyTheme } from "#client/app/theme.ts";
import "#client/app/app_shell.ts";
import { applyLanguage } from "#client/core/words.ts";

applyTheme();
applyLanguage();
