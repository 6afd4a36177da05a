/**
 * The house rules (ARCHITECTURE §2, §8, §10) as a lint plugin. Each rule is a row of a table here; a rule that
 * is wrong for a good reason is changed here, with its test, rather than ignored line by line.
 */

import { BROWSER_SAFE, housePath, isIn, isTest, roleOf, whyNotImport } from "./boundaries.ts";

const FORBIDDEN_NAMES = /^(utils?|helpers?|misc|common|manager|base)$/;
const HEX_COLOUR = /#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})(?![\w-])/i;
const COLOUR_FUNCTION = /\b(?:rgba?|hsla?|hwb|oklch|oklab|lch|lab|color)\(\s*[\d.]/i;
const NAMED_COLOUR =
  /:\s*(?:white|black|red|green|blue|yellow|orange|purple|pink|gr[ae]y|silver|gold|cyan|magenta)\b/i;
/** A size or a duration that is no token: "12px", "1.5rem", "200ms"; 0 and parts of something (%, ch, em, fr) may be. */
const SIZE_LITERAL = /(?<![\w.#])\d*\.?\d+(?:px|rem|pt|cm|mm|in|ms|s)\b/;
/** Widths at which a layout changes can't be tokens: a query takes no custom property. */
const QUERY = /@(?:media|container)[^{]*\{/g;
/** Folders whose buttons are made by hand: the elements themselves, the shell, the forms before one is in. */
const MAKES_BUTTONS = ["client/ui", "client/app", "client/auth", "client/design_page"] as const;
const BUTTON_TAG = /<(button|st-button|st-icon-button)\b([^<]*)/g;
/** What opens or closes something beside it, sends a form, or is one of several to choose from. */
const IS_STEP = /slot="(?:actions|trigger)"|type="submit"|\.pressed=/;
const RAW_HTML = /^(?:innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|unsafeSVG|unsafeStatic)$/;

/** Why the template text `html` may not have its buttons, or undefined. Expressions stand in it as "…". */
export function whyNotButton(path: string, html: string): string | undefined {
  if (!isIn(path, "client") || isTest(path)) return undefined;
  if (isIn(path, ...MAKES_BUTTONS)) return undefined;
  for (const { 1: tag = "", 2: rest = "", index } of html.matchAll(BUTTON_TAG)) {
    const before = html.slice(0, index);
    // Trying again where something failed or is missing is said to the thing itself.
    const isInFrame = ["error", "empty"].some((kind) =>
      before.lastIndexOf(`<st-${kind} `) > before.lastIndexOf(`</st-${kind}>`)
    );
    if (tag === "button" || !(IS_STEP.test(rest) || isInFrame)) {
      return `Cannot write <${tag}> here: every button has a command, so write <st-action command="…">, which gives it ` +
        "a palette entry, keys and a permission";
    }
  }
  return undefined;
}

/** A `style` attribute in a template, also one that is made by styleMap: the studio's policy on content refuses it. */
const STYLE_ATTRIBUTE = /<[a-z][^<>]*\sstyle=/;

function rule(create: (path: string, ctx: Deno.lint.RuleContext) => Deno.lint.LintVisitor): Deno.lint.Rule {
  return { create: (ctx) => create(housePath(ctx.filename), ctx) };
}

/** A rule over every specifier that a file imports or re-exports. */
function importRule(check: (path: string, specifier: string) => string | undefined): Deno.lint.Rule {
  return rule((path, ctx) => {
    const visit = (node: { source?: Deno.lint.Node | null }) => {
      const source = node.source;
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const message = check(path, source.value);
      if (message) ctx.report({ node: source, message });
    };
    return {
      ImportDeclaration: visit,
      ExportNamedDeclaration: visit,
      ExportAllDeclaration: visit,
      ImportExpression: visit,
    };
  });
}

function isMember(node: Deno.lint.MemberExpression, object: string, property?: string): boolean {
  return node.object.type === "Identifier" && node.object.name === object &&
    (property === undefined || (node.property.type === "Identifier" && node.property.name === property));
}

const house: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "boundaries": importRule(whyNotImport),

    "no-parent-import": importRule((_path, specifier) =>
      specifier.includes("../")
        ? "Cannot import with ../: use ./ within a folder and a # alias across"
        : undefined
    ),

    "zod-mini": rule((_path, ctx) => ({
      ImportDeclaration(node) {
        if (!/^(npm:)?zod(@[^/]*)?(\/|$)/.test(node.source.value)) return;
        const isNamespace = node.specifiers.length === 1 &&
          node.specifiers[0]?.type === "ImportNamespaceSpecifier";
        if (node.source.value === "zod/mini" && isNamespace) return;
        ctx.report({
          node,
          message: 'Cannot import zod so: write import * as z from "zod/mini" (4 kB, not 92)',
        });
      },
    })),

    "no-console": rule((path, ctx) => ({
      MemberExpression(node) {
        if (isIn(path, "tasks") || !isMember(node, "console")) return;
        ctx.report({ node, message: "Cannot use console outside tasks/: write through a Log" });
      },
    })),

    "no-env": rule((path, ctx) => ({
      MemberExpression(node) {
        if (path === "server/config.ts" || isIn(path, "tasks") || isTest(path) || /_child\.ts$/.test(path)) {
          return;
        }
        if (!isMember(node, "Deno", "env")) return;
        ctx.report({
          node,
          message: "Cannot read the environment here: server/config.ts is its only reader",
        });
      },
    })),

    "browser-safe": rule((path, ctx) => ({
      MemberExpression(node) {
        const role = roleOf(path);
        if (!role || !BROWSER_SAFE.includes(role) || !isMember(node, "Deno")) return;
        ctx.report({ node, message: `Cannot use Deno here: a ${role} file also runs in the browser` });
      },
    })),

    "no-unsafe-sql": rule((path, ctx) => ({
      MemberExpression(node) {
        if (isIn(path, "server/db", "server/testing", "client")) return;
        if (node.property.type !== "Identifier" || node.property.name !== "unsafe") return;
        ctx.report({ node, message: "Cannot run SQL text outside server/db: use a tagged template" });
      },
    })),

    "no-default-export": rule((path, ctx) => ({
      ExportDefaultDeclaration(node) {
        if (path === "tasks/lint/house.ts") return;
        ctx.report({ node, message: "Cannot export a default: give it a name, so that it can be found" });
      },
    })),

    "no-barrel": rule((_path, ctx) => ({
      ExportAllDeclaration(node) {
        ctx.report({ node, message: "Cannot re-export a whole file: import from where the thing is" });
      },
    })),

    "one-declaration": rule((_path, ctx) => ({
      VariableDeclaration(node) {
        // In a loop's head there is no other place for the second one.
        if (node.declarations.length < 2 || node.parent.type === "ForStatement") return;
        ctx.report({ node, message: "Cannot declare several variables at once: write one a line" });
      },
    })),

    "no-private-keyword": rule((_path, ctx) => {
      const visit = (node: { accessibility?: string | undefined; kind?: string } & Deno.lint.Node) => {
        // A constructor has no # form.
        if (node.accessibility !== "private" || node.kind === "constructor") return;
        ctx.report({ node, message: "Cannot use private: write #name, which really is private" });
      };
      return { PropertyDefinition: visit, MethodDefinition: visit, AccessorProperty: visit };
    }),

    "no-raw-html": rule((path, ctx) => ({
      Identifier(node) {
        if (!isIn(path, "client") || isTest(path) || !RAW_HTML.test(node.name)) return;
        ctx.report({
          node,
          message: `Cannot use ${node.name}: only Lit's text bindings are safe with people's text`,
        });
      },
    })),

    "no-colour-literal": rule((path, ctx) => {
      if (roleOf(path) !== "client") return {};
      const message = "Cannot write a colour here: use a token, var(--color-…), from client/design";
      return {
        Literal(node) {
          if (typeof node.value !== "string") return;
          const isHex = HEX_COLOUR.exec(node.value)?.[0] === node.value;
          if (isHex || COLOUR_FUNCTION.test(node.value)) ctx.report({ node, message });
        },
        TaggedTemplateExpression(node) {
          if (node.tag.type !== "Identifier" || !/^(css|svg|html)$/.test(node.tag.name)) return;
          const isCss = node.tag.name === "css";
          for (const part of node.quasi.quasis) {
            const text = part.raw.replaceAll(/url\([^)]*\)|href="[^"]*"/g, "");
            const isHex = isCss || /style=|fill=|stroke=/.test(text) ? HEX_COLOUR.test(text) : false;
            if (isHex || COLOUR_FUNCTION.test(text) || (isCss && NAMED_COLOUR.test(text))) {
              ctx.report({ node: part, message });
            }
          }
        },
      };
    }),

    "no-size-literal": rule((path, ctx) => ({
      TaggedTemplateExpression(node) {
        if (roleOf(path) !== "client" || node.tag.type !== "Identifier" || node.tag.name !== "css") return;
        for (const part of node.quasi.quasis) {
          const text = part.raw.replaceAll(QUERY, "").replaceAll(/\/\*[^]*?\*\//g, "");
          const found = SIZE_LITERAL.exec(text)?.[0];
          if (found === undefined) continue;
          ctx.report({
            node: part,
            message:
              `Cannot write ${found} here: use a token, var(--size-…), var(--space-…) or var(--motion-…)`,
          });
        }
      },
    })),

    "button-has-command": rule((path, ctx) => ({
      TaggedTemplateExpression(node) {
        if (node.tag.type !== "Identifier" || node.tag.name !== "html") return;
        const message = whyNotButton(path, node.quasi.quasis.map(({ raw }) => raw).join("…"));
        if (message) ctx.report({ node: node.tag, message });
      },
    })),

    "no-style-attribute": rule((path, ctx) => ({
      TaggedTemplateExpression(node) {
        if (!isIn(path, "client") || isTest(path)) return;
        if (node.tag.type !== "Identifier" || !/^(html|svg)$/.test(node.tag.name)) return;
        if (!STYLE_ATTRIBUTE.test(node.quasi.quasis.map(({ raw }) => raw).join("…"))) return;
        ctx.report({
          node: node.tag,
          message:
            "Cannot write style= here: the studio's content security policy drops it, so write .style=${…}",
        });
      },
    })),

    "error-sentence": rule((path, ctx) => ({
      NewExpression(node) {
        if (
          node.callee.type !== "Identifier" ||
          !/^(App|Type|Range|)Error$|^(GiveUp|TryLater|Retry)$/.test(node.callee.name)
        ) {
          return;
        }
        if (isTest(path) || !isIn(path, "server", "workers")) return;
        const argument = node.arguments[node.callee.name === "AppError" ? 1 : 0];
        const text = argument?.type === "Literal" ? argument.value : undefined;
        // One word is a mark between two lines of the same file, not a message.
        if (typeof text !== "string" || !text.includes(" ")) return;
        if (/^[^a-z]/.test(text) && !/[.!]$/.test(text)) return;
        ctx.report({
          node: argument ?? node,
          message:
            'Cannot leave the message so: start with a capital ("Cannot …: why; the mend"), no full stop',
        });
      },
    })),

    "file-name": rule((path, ctx) => ({
      Program(node) {
        const name = path.slice(path.lastIndexOf("/") + 1).replace(/(\.d)?\.ts$/, "");
        const isNamed = /^[a-z0-9]+(_[a-z0-9]+)*$/.test(name) && !FORBIDDEN_NAMES.test(name);
        if (isNamed || !roleOf(path)) return;
        ctx.report({ node, message: `Cannot call a file ${name}: use snake_case and say what it holds` });
      },
    })),
  },
};

export default house;
