import { css } from "lit";

/** Sections of the status page: a quiet head on a hairline, rows below. */
export const sectionStyles = css`
  :host {
    display: block;
    min-width: 0;
  }
  .head {
    display: flex;
    align-items: baseline;
    gap: var(--space-2);
    min-height: var(--size-control);
    padding-bottom: var(--space-1);
    border-bottom: var(--size-hairline) solid var(--color-line);
  }
  h2 {
    margin: 0;
    font-size: var(--size-text);
    font-weight: var(--font-weight-strong);
  }
  .count {
    color: var(--color-text-quiet);
    font-size: var(--size-text-small);
  }
  .gap {
    flex: 1;
  }
  .none {
    margin: 0;
    padding: var(--space-2) 0;
    color: var(--color-text-quiet);
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .quiet {
    color: var(--color-text-quiet);
  }
  .small {
    font-size: var(--size-text-small);
  }
  .cut {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .number {
    text-align: right;
    white-space: nowrap;
  }
  .reason {
    margin: 0;
    overflow-wrap: anywhere;
  }
`;
