import { css } from "lit";

/** A page of one's own account: one column that never grows too wide to read. */
export const pageStyles = css`
  :host {
    display: block;
    height: 100%;
    overflow: auto;
    background: var(--color-ground);
  }
  .page {
    display: grid;
    gap: var(--space-3);
    max-width: var(--size-dialog-wide);
    padding: var(--space-4);
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
    align-items: center;
  }
  .head h2 {
    flex: 1;
    margin: 0;
    font-size: var(--size-text-lead);
    font-weight: var(--font-weight-medium);
  }
  p {
    margin: 0;
    color: var(--color-text-quiet);
    overflow-wrap: anywhere;
  }
  .quiet {
    color: var(--color-text-quiet);
    font-size: var(--size-text-small);
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0 var(--space-3);
    align-items: center;
    min-height: calc(var(--size-row) * 1.5);
    border-top: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
  }
  li:last-child {
    border-bottom: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
  }
  .form,
  .once {
    display: grid;
    gap: var(--space-3);
    padding: var(--space-3);
    background: var(--color-surface);
    border-radius: var(--radius-control);
    min-width: 0;
  }
  .once {
    gap: var(--space-2);
    border-inline-start: var(--size-running-line) solid var(--color-amber);
    border-radius: 0;
  }
  fieldset {
    display: grid;
    gap: var(--space-1);
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0 0 var(--space-1);
    color: var(--color-text-quiet);
    font-size: var(--size-text-small);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
  }
`;
