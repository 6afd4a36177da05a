import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Rows `first` (included) to `end` (not), and how many elements take turns in showing rows. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
  readonly pool: number;
}

const ROWS_AROUND = 2;

/** The rows to render so that the view and a little more is filled. Heights in pixels. */
export function visibleRows(
  { top, viewHeight, rowHeight, count }: {
    readonly top: number;
    readonly viewHeight: number;
    readonly rowHeight: number;
    readonly count: number;
  },
): RowRange {
  const pool = Math.min(count, Math.ceil(viewHeight / rowHeight) + 1 + 2 * ROWS_AROUND);
  const wanted = Math.floor(Math.max(0, top) / rowHeight) - ROWS_AROUND;
  const first = Math.max(0, Math.min(wanted, count - pool));
  return { first, end: first + pool, pool };
}

/**
 * Tells a list which of its rows of equal height to render: it watches the element that scrolls and asks for an
 * update only when other rows come into view or the view changes its size.
 */
export class VirtualRows implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  readonly #observer = new ResizeObserver(() => this.#measure());
  #top = 0;
  #first = -1;
  #rowHeight = 1;
  #count = 0;
  /** The view's size in pixels, without scrollbars; zero before it is known. */
  width = 0;
  height = 0;

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#observer.observe(this.#host);
    this.#host.addEventListener("scroll", this.#scrolled, { passive: true });
  }

  hostDisconnected(): void {
    this.#observer.disconnect();
    this.#host.removeEventListener("scroll", this.#scrolled);
  }

  /** What to render of `count` rows. `headHeight` is what stays above them and is not theirs to use. */
  range(count: number, rowHeight: number): RowRange {
    this.#rowHeight = Math.max(1, rowHeight);
    this.#count = count;
    const range = this.#range();
    this.#first = range.first;
    return range;
  }

  /** Scrolls no more than needed to show a row whole, `headHeight` being covered by what sticks at the top. */
  reveal(row: number, headHeight = 0): void {
    const top = row * this.#rowHeight;
    const bottom = top + this.#rowHeight + headHeight;
    if (top < this.#host.scrollTop) this.#host.scrollTop = top;
    else if (bottom > this.#host.scrollTop + this.height) this.#host.scrollTop = bottom - this.height;
  }

  #range(): RowRange {
    return visibleRows({
      top: this.#top,
      viewHeight: this.height,
      rowHeight: this.#rowHeight,
      count: this.#count,
    });
  }

  readonly #scrolled = () => {
    this.#top = this.#host.scrollTop;
    if (this.#range().first !== this.#first) this.#host.requestUpdate();
  };

  #measure(): void {
    const { clientWidth, clientHeight } = this.#host;
    if (clientWidth === this.width && clientHeight === this.height) return;
    this.width = clientWidth;
    this.height = clientHeight;
    this.#host.requestUpdate();
  }
}
