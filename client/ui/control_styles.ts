import { css } from "lit";

/** What every element of client/ui begins with: boxes, the focus ring, icons, and words for screen readers only. */
export const controlStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  :focus {
    outline: none;
  }
  :focus-visible {
    outline: var(--size-running-line) solid var(--color-ion);
    outline-offset: var(--size-hairline);
    box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-ion) 25%, transparent);
  }
  button {
    font: inherit;
    color: inherit;
  }
  .icon {
    flex: none;
    width: var(--size-icon);
    height: var(--size-icon);
  }
  .unseen {
    position: absolute;
    width: var(--size-hairline);
    height: var(--size-hairline);
    margin: calc(-1 * var(--size-hairline));
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .cut {
    unicode-bidi: isolate;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  /* Their grounds and shadows are gone there. */
  @media (forced-colors: active) {
    [aria-selected="true"],
    [aria-current="page"],
    [aria-pressed="true"] {
      outline: var(--size-running-line) solid Highlight;
      outline-offset: calc(-1 * var(--size-running-line));
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after,
    ::backdrop {
      animation: none !important;
      transition: none !important;
    }
  }
`;

/** What floats above the page: menus, popovers, dialogs, tooltips. */
export const floatStyles = css`
  .float {
    position: fixed;
    inset: auto;
    margin: 0;
    padding: 0;
    max-width: min(100vw, var(--size-side));
    max-height: 100vh;
    overflow: auto;
    color: var(--color-text);
    background: var(--color-raised);
    border: var(--size-hairline) solid var(--color-line);
    border-radius: var(--radius-panel);
    box-shadow: var(--shadow-float);
    font: var(--font-weight-regular) var(--size-text) / 1.4 var(--font-ui);
  }
  .float:popover-open {
    transition: opacity var(--motion-fast) ease-out;
    @starting-style {
      opacity: 0;
    }
  }
`;

/** A button's looks, for the native button inside the elements that are one. */
export const buttonStyles = css`
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    width: 100%;
    min-height: var(--size-control);
    padding: 0 var(--space-3);
    color: var(--color-text);
    background: var(--color-raised);
    border: var(--size-hairline) solid var(--color-line);
    border-radius: var(--radius-control);
    font: var(--font-weight-medium) var(--size-text) / 1.2 var(--font-ui);
    text-decoration: none;
    white-space: nowrap;
    cursor: pointer;
    user-select: none;
    transition: background var(--motion-fast) ease-out, border-color var(--motion-fast) ease-out;
  }
  .button:hover,
  .button[aria-expanded="true"] {
    background: var(--color-hover);
  }
  .button:active {
    border-color: var(--color-text-quiet);
  }
  .button.quiet {
    background: none;
    border-color: transparent;
    color: var(--color-text-quiet);
    font-weight: var(--font-weight-regular);
  }
  .button.quiet:is(:hover, [aria-expanded="true"], [aria-pressed="true"]) {
    background: var(--color-hover);
    color: var(--color-text);
  }
  .button.primary {
    background: color-mix(in oklab, var(--color-ion) 12%, var(--color-ground));
    border-color: var(--color-ion);
  }
  .button.primary:hover {
    background: color-mix(in oklab, var(--color-ion) 22%, var(--color-ground));
  }
  .button.danger {
    border-color: var(--color-ember);
  }
  .button.danger:hover {
    background: color-mix(in oklab, var(--color-ember) 18%, var(--color-ground));
  }
  .button[aria-pressed="true"] {
    color: var(--color-ion);
    border-color: var(--color-ion);
  }
  .button:is(:disabled, [aria-disabled="true"]):not(.quiet) {
    border-color: var(--color-line);
    color: var(--color-text-off);
    background: var(--color-raised);
    cursor: default;
  }
  .button.quiet:is(:disabled, [aria-disabled="true"]) {
    border-color: transparent;
    color: var(--color-text-off);
    background: none;
    cursor: default;
  }
  .button.bare {
    width: var(--size-control);
    padding: 0;
  }
`;

/** A field's looks, for native inputs inside the elements that hold one. */
export const inputStyles = css`
  .input {
    width: 100%;
    min-height: var(--size-control);
    padding: 0 var(--space-2);
    color: var(--color-text);
    background: var(--color-surface);
    border: var(--size-hairline) solid var(--color-field-line);
    border-radius: var(--radius-control);
    font: var(--font-weight-regular) var(--size-text) / 1.5 var(--font-ui);
    transition: background var(--motion-fast) ease-out, border-color var(--motion-fast) ease-out;
  }
  .input:hover:not(:disabled) {
    background: var(--color-raised);
  }
  .input::placeholder {
    color: var(--color-text-quiet);
    opacity: 1;
  }
  .input[aria-invalid="true"] {
    border-color: var(--color-ember);
  }
  .input:disabled {
    color: var(--color-text-off);
    border-color: var(--color-line);
  }
  .label {
    color: var(--color-text-quiet);
    font-size: var(--size-text-small);
  }
  .note {
    margin: 0;
    color: var(--color-text-quiet);
    font-size: var(--size-text-small);
  }
  .fault {
    margin: 0;
    padding-left: var(--space-2);
    border-left: var(--size-running-line) solid var(--color-ember);
    color: var(--color-text);
    font-size: var(--size-text-small);
  }
  .fault:empty {
    display: none;
  }
`;
