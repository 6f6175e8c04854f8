import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from '../lib/keys';
import { t } from '../lib/i18n';

/** A column. `width` as in CSS grid; `hide`: below which width of the table (px) the column is left out. */
export interface Column<T> {
  key: string;
  title: ComponentChildren;
  width: string;
  align?: 'right';
  hide?: number;
  render: (row: T, index: number) => ComponentChildren;
}

export interface VirtualTableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  /** How many rows there are, loaded or not. */
  total: number;
  /** A row, or undefined while it is not loaded: a bar stands in its place. */
  row: (index: number) => T | undefined;
  keyOf: (row: T) => string;
  /** Tells which rows are in view, so that they can be loaded. */
  onRange?: (from: number, to: number) => void;
  onOpen?: (row: T, index: number) => void;
  /** Where a row leads, so that it opens in a new tab as well. */
  hrefOf?: (row: T) => string;
  selected?: ReadonlySet<string>;
  onSelect?: (row: T) => void;
  rowClass?: (row: T) => string;
  /** Pixels; by default what the theme says. */
  rowHeight?: number;
  /** Fills what its parent leaves; else as high as its rows, at most this many pixels. */
  maxHeight?: number;
  /** Told when the reader leaves or reaches the top: live updates wait while it is left. */
  onTop?: (atTop: boolean) => void;
}

const OVERSCAN = 12;

/**
 * A table of any number of rows: only those in view exist. `j`/`k` or the arrows move, Enter opens, `x` selects, Home and End jump.
 */
export function VirtualTable<T>(props: VirtualTableProps<T>) {
  const { columns, total, row, onRange, onTop } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600, width: 1000 });
  const [cursor, setCursor] = useState(-1);
  const height = props.rowHeight ?? rowHeight();

  const measure = useCallback(() => {
    const box = scroller.current;
    if (box) setView({ top: box.scrollTop, height: box.clientHeight, width: box.clientWidth });
  }, []);
  useLayoutEffect(() => {
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(scroller.current!);
    return () => watching.disconnect();
  }, [measure]);

  const from = Math.max(0, Math.floor(view.top / height) - OVERSCAN);
  const to = Math.min(total, Math.ceil((view.top + view.height) / height) + OVERSCAN);
  useEffect(() => onRange?.(from, to), [from, to, onRange]);
  const atTop = view.top < height;
  useEffect(() => onTop?.(atTop), [atTop, onTop]);

  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(total - 1, index));
    setCursor(next);
    const box = scroller.current!;
    const head = box.querySelector<HTMLElement>('.thead')?.offsetHeight ?? 0;
    if (next * height < box.scrollTop) box.scrollTop = next * height;
    else if ((next + 1) * height + head > box.scrollTop + box.clientHeight) box.scrollTop = (next + 1) * height + head - box.clientHeight;
  };
  const open = (index: number) => {
    const it = row(index);
    if (it !== undefined) props.onOpen?.(it, index);
  };
  const down = { run: () => moveTo(cursor + 1), label: t('keys.next') };
  const up = { run: () => moveTo(Math.max(0, cursor - 1)), label: t('keys.previous') };
  useKeys(props.label, {
    j: down,
    k: up,
    ArrowDown: { ...down, alias: true },
    ArrowUp: { ...up, alias: true },
    ...(props.onOpen && { Enter: { run: () => cursor >= 0 && open(cursor), label: t('keys.open') } }),
    ...(props.onSelect && {
      x: {
        run: () => {
          const it = cursor >= 0 ? row(cursor) : undefined;
          if (it !== undefined) props.onSelect!(it);
        },
        label: t('keys.select'),
      },
    }),
    Home: { run: () => moveTo(0), label: t('keys.first') },
    End: { run: () => moveTo(total - 1), label: t('keys.last') },
  });

  const shown = columns.filter((column) => !column.hide || view.width >= column.hide);
  const grid = shown.map((column) => column.width).join(' ');
  const rows = [];
  for (let index = from; index < to; index++) {
    const it = row(index);
    const key = it === undefined ? `#${index}` : props.keyOf(it);
    const chosen = it !== undefined && props.selected?.has(key);
    rows.push(
      <div
        key={key}
        class={`tr${index === cursor ? ' cursor' : ''}${chosen ? ' chosen' : ''}${props.onOpen ? ' opens' : ''} ${it === undefined ? '' : (props.rowClass?.(it) ?? '')}`}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={props.onSelect ? chosen : undefined}
        style={{ transform: `translateY(${index * height}px)`, height: `${height}px`, gridTemplateColumns: grid }}
        onClick={(event) => {
          if (it === undefined || (event.target as HTMLElement).closest('a,button,input,label')) return;
          setCursor(index);
          if ((event.metaKey || event.ctrlKey) && props.hrefOf) window.open(props.hrefOf(it), '_blank');
          else if (!getSelection()?.toString()) open(index);
        }}
      >
        {shown.map((column) => (
          <div key={column.key} role="cell" class={`td ${column.align ?? ''}`}>
            {it === undefined ? <span class="bone" /> : column.render(it, index)}
          </div>
        ))}
      </div>,
    );
  }

  return (
    <div ref={scroller} class={`table ${props.maxHeight ? '' : 'fill'}`} style={props.maxHeight ? { maxHeight: `${props.maxHeight}px` } : undefined} role="table" aria-label={props.label} aria-rowcount={total + 1} tabIndex={0} onScroll={measure}>
      <div class="thead" role="rowgroup">
        <div class="tr head" role="row" style={{ gridTemplateColumns: grid }}>
          {shown.map((column) => (
            <div key={column.key} role="columnheader" class={`td ${column.align ?? ''}`}>
              {column.title}
            </div>
          ))}
        </div>
      </div>
      <div class="tbody" role="rowgroup" style={{ height: `${total * height}px` }}>
        {rows}
      </div>
    </div>
  );
}

let measured = 0;

/** Height of a row in the present theme, px. */
export function rowHeight(): number {
  measured ||= parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--row')) || 34;
  return measured;
}

/** A short table: all of its rows are there. */
export function Table<T>({ items, ...rest }: Omit<VirtualTableProps<T>, 'total' | 'row'> & { items: readonly T[] }) {
  return <VirtualTable {...rest} total={items.length} row={(index) => items[index]} maxHeight={rest.maxHeight ?? 100_000} />;
}
