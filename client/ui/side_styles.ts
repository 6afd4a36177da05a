import { css, type CSSResultGroup } from "lit";

/** What stands in a side or a card: headings, quiet sentences, a row of actions, and what an act would affect. */
export const factStyles = css`
  .stack {
    display: grid;
    gap: var(--space-3);
  }
  h2 {
    display: flex;
    gap: var(--space-2);
    align-items: center;
    margin: 0;
    font-size: var(--size-text-lead);
    font-weight: var(--font-weight-medium);
    overflow-wrap: anywhere;
  }
  h3 {
    margin: 0;
    color: var(--color-text-quiet);
    font-size: var(--size-label);
    font-weight: var(--font-weight-regular);
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
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
  }
  .impact {
    display: grid;
    gap: var(--space-2);
    padding: var(--space-2) var(--space-3);
    border-inline-start: var(--size-running-line) solid var(--color-ember);
    background: var(--color-raised);
  }
`;

/** A list with a side beside it, which goes below where there is no room; and what stands in the side. */
export const sideStyles: CSSResultGroup = [
  factStyles,
  css`
    .frame {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(0, var(--size-side));
      grid-template-rows: auto minmax(0, 1fr);
      height: 100%;
      background: var(--color-ground);
    }
    .bar {
      grid-column: 1;
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-2);
      align-items: center;
      padding: var(--space-2) var(--space-3);
      border-bottom: var(--size-hairline) solid var(--color-line);
    }
    /* A long name among the choices does not widen the choice. */
    .bar st-select {
      max-width: 24ch;
    }
    .list > st-error {
      margin: var(--space-3);
    }
    .gap {
      flex: 1;
    }
    .list {
      grid-column: 1;
      min-height: 0;
    }
    .side {
      grid-area: 1 / 2 / span 2;
      overflow: auto;
      padding: var(--space-3);
      background: var(--color-surface);
      border-inline-start: var(--size-hairline) solid var(--color-line);
    }
    .once {
      display: grid;
      gap: var(--space-2);
      padding: var(--space-2) var(--space-3);
      border-inline-start: var(--size-running-line) solid var(--color-amber);
      background: var(--color-raised);
      min-width: 0;
    }
    .stale {
      padding-inline-start: var(--space-2);
      border-inline-start: var(--size-running-line) solid var(--color-amber);
      font-size: var(--size-text-small);
    }
    @container panel (width < 640px) {
      .frame {
        grid-template-columns: minmax(0, 1fr);
        grid-template-rows: auto minmax(0, 1fr) minmax(0, 1fr);
      }
      .side {
        grid-area: 3 / 1;
        border-inline-start: 0;
        border-top: var(--size-hairline) solid var(--color-line);
      }
    }
  `,
];
