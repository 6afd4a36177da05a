import { css } from "lit";

/** Fields, buttons, links and their states. */
export const formStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  label {
    display: grid;
    gap: var(--space-1);
    font-size: var(--size-text-small);
    color: var(--color-text-quiet);
  }
  input {
    width: 100%;
    height: var(--size-field);
    padding: 0 var(--space-3);
    color: var(--color-text);
    background: var(--color-surface);
    border: var(--size-hairline) solid var(--color-line);
    border-radius: var(--radius-control);
    font: var(--font-weight-regular) var(--size-text) var(--font-ui);
    transition: background var(--motion-fast) ease-out, border-color var(--motion-fast) ease-out;
  }
  input:hover {
    background: var(--color-raised);
  }
  input[aria-invalid="true"] {
    border-color: var(--color-ember);
  }
  :is(input, button, a, [tabindex]):focus-visible {
    outline: var(--size-running-line) solid var(--color-ion);
    outline-offset: var(--size-hairline);
    box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-ion) 25%, transparent);
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    min-height: var(--size-control);
    padding: 0 var(--space-3);
    color: var(--color-text);
    background: var(--color-raised);
    border: var(--size-hairline) solid var(--color-line);
    border-radius: var(--radius-control);
    font: var(--font-weight-medium) var(--size-text) var(--font-ui);
    text-decoration: none;
    white-space: nowrap;
    cursor: pointer;
    transition: background var(--motion-fast) ease-out;
  }
  button:hover,
  .button:hover {
    background: var(--color-hover);
  }
  button.quiet,
  .button.quiet {
    background: none;
    border-color: transparent;
    color: var(--color-text-quiet);
    font-weight: var(--font-weight-regular);
  }
  button.quiet:hover,
  .button.quiet:hover {
    background: var(--color-hover);
    color: var(--color-text);
  }
  button.primary {
    height: var(--size-field);
    background: color-mix(in oklab, var(--color-ion) 12%, var(--color-ground));
    border-color: var(--color-ion);
  }
  button.primary:hover {
    background: color-mix(in oklab, var(--color-ion) 22%, var(--color-ground));
  }
  :is(button, button.primary):disabled {
    border-color: var(--color-line);
    color: var(--color-text-off);
    background: var(--color-raised);
    cursor: default;
  }
  a {
    color: var(--color-ion);
    text-underline-offset: 0.2em;
    text-decoration-thickness: var(--size-hairline);
  }
  kbd {
    font: var(--font-weight-regular) var(--size-label) var(--font-mono);
  }
  code {
    font: var(--font-weight-regular) var(--size-text-small) / 1.5 var(--font-mono);
    font-variant-ligatures: none;
  }
  /* A place for what may have to be announced later takes no room before. */
  [role="alert"]:empty {
    position: absolute;
  }
  .icon {
    flex: none;
    width: var(--size-icon);
    height: var(--size-icon);
  }
  .hint {
    margin: 0;
    font-size: var(--size-text-small);
    color: var(--color-text-quiet);
  }
  .fault {
    font-size: var(--size-text-small);
    color: var(--color-text);
  }
  .problem {
    margin: 0;
    padding: var(--space-1) 0 var(--space-1) var(--space-3);
    border-left: var(--size-running-line) solid var(--color-ember);
  }
  @media (prefers-reduced-motion: reduce) {
    input,
    button,
    .button {
      transition: none;
    }
  }
`;
