import { css } from "lit";

/** How the contact sheet stands: tools above, a thin line of cost, the pictures edge to edge, and the keys below. */
export const sheetStyles = css`
  st-error {
    margin: var(--space-4);
  }
  .page {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 0;
  }
  .tools,
  .cost,
  .foot {
    flex: none;
    display: flex;
    align-items: center;
    gap: var(--space-2);
    min-width: 0;
    padding: var(--space-1) var(--space-2);
  }
  .tools {
    border-bottom: var(--size-hairline) solid var(--color-line);
  }
  .batches {
    flex: 0 1 auto;
    min-width: 12ch;
  }
  .size {
    flex: 0 1 calc(2 * var(--space-12));
    min-width: var(--space-12);
    margin: 0;
    margin-inline-start: auto;
    appearance: none;
    height: var(--size-control-small);
    background: none;
    cursor: pointer;
  }
  .size::-webkit-slider-runnable-track {
    height: var(--size-running-line);
    background: var(--color-line);
  }
  .size::-webkit-slider-thumb {
    appearance: none;
    width: var(--size-mark);
    height: var(--size-mark);
    margin-top: calc((var(--size-running-line) - var(--size-mark)) / 2);
    border-radius: 50%;
    background: var(--color-text-quiet);
  }
  .cost {
    font-size: var(--size-text-small);
    color: var(--color-text-quiet);
    font-variant-numeric: tabular-nums;
  }
  .gap {
    flex: 1;
  }
  .sheet {
    flex: 1;
    min-height: 0;
    padding: var(--size-running-line);
  }
  .stale {
    opacity: 0.6;
  }
  .foot {
    border-top: var(--size-hairline) solid var(--color-line);
    min-height: calc(var(--size-control) + var(--space-2));
  }
  .foot .cut {
    flex: 1;
  }
  .quiet {
    color: var(--color-text-quiet);
    font-size: var(--size-text-small);
    font-variant-numeric: tabular-nums;
  }
  .actions {
    flex: none;
    display: flex;
    gap: var(--space-1);
  }
  @container panel (width < 40rem) {
    .size,
    .foot > .cut {
      display: none;
    }
    .actions {
      flex: 1;
      flex-wrap: wrap;
    }
  }
`;
