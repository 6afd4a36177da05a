import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Rows `first` (included) to `end` (not), and how many elements take turns in showing rows. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
  readonly pool: number;
}

const ROWS_AROUND = 2;
/** So long after the last row came into view, one has stopped scrolling. */
const REST_MS = 200;

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
  #isMoving = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #rowHeight = 1;
  #count = 0;
  /** The view's size in pixels, without scrollbars; zero before it is known. */
  width = 0;
  height = 0;
  #style: CSSStyleDeclaration | undefined;
  readonly #lengths = new Map<string, number>();

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
    clearTimeout(this.#rest);
  }

  /** What to render of `count` rows. `headHeight` is what stays above them and is not theirs to use. */
  range(count: number, rowHeight: number): RowRange {
    this.#rowHeight = Math.max(1, rowHeight);
    this.#count = count;
    const range = this.#range();
    this.#first = range.first;
    return range;
  }

  /**
   * The rows of a range in the order in which their elements are to stand: from top to bottom, as screen readers read
   * them; but while one scrolls each element keeps its place, for moving elements costs more than filling them.
   */
  inOrder({ first, end, pool }: RowRange): readonly number[] {
    if (this.height === 0) return [];
    const rows = Array.from({ length: end - first }, (_, at) => first + at);
    return this.#isMoving ? rows.sort((one, other) => one % pool - other % pool) : rows;
  }

  /** A length token in pixels. Read again when the view changes its size only: asking the browser costs a layout. */
  length(property: string): number {
    const known = this.#lengths.get(property);
    if (known !== undefined) return known;
    this.#style ??= getComputedStyle(this.#host);
    const length = Number.parseFloat(this.#style.getPropertyValue(property)) || 0;
    this.#lengths.set(property, length);
    return length;
  }

  /** The last row of which something is in view, as it was at the last scroll. */
  get lastInView(): number {
    return Math.floor((this.#top + this.height) / this.#rowHeight);
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
    if (this.#range().first === this.#first) return;
    this.#isMoving = true;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(this.#rested, REST_MS);
    this.#host.requestUpdate();
  };

  readonly #rested = () => {
    this.#isMoving = false;
    this.#host.requestUpdate();
  };

  #measure(): void {
    const { clientWidth, clientHeight } = this.#host;
    if (clientWidth === this.width && clientHeight === this.height) return;
    this.width = clientWidth;
    this.height = clientHeight;
    this.#lengths.clear();
    this.#host.requestUpdate();
  }
}
