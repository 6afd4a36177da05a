import { applyTheme } from "#client/app/theme.ts";
import "#client/app/app_shell.ts";

applyTheme();
