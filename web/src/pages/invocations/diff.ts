/** A line of a difference; `…` stands for equal lines that are left out. */
export interface DiffLine {
  kind: ' ' | '+' | '-' | '…';
  text: string;
}

const LINES_MOST = 4000;
const EDITS_MOST = 1500;
const CONTEXT = 3;

/** What was taken away and added, line by line (Myers' shortest edit); texts that differ too much are shown one after the other. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split('\n').slice(0, LINES_MOST);
  const b = after.split('\n').slice(0, LINES_MOST);
  const edits = shortest(a, b) ?? [...a.map((text): DiffLine => ({ kind: '-', text })), ...b.map((text): DiffLine => ({ kind: '+', text }))];
  return fold(edits);
}

function shortest(a: readonly string[], b: readonly string[]): DiffLine[] | null {
  const most = Math.min(a.length + b.length, EDITS_MOST);
  const ends = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(ends));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1)) ? (ends.get(k + 1) ?? 0) : (ends.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && x - k >= 0 && a[x] === b[x - k]) x++;
      ends.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace, d);
    }
  }
  return null;
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Map<number, number>[], last: number): DiffLine[] {
  const out: DiffLine[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = last; d >= 0; d--) {
    const ends = trace[d]!;
    const k = x - y;
    const from = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1)) ? k + 1 : k - 1;
    const beginX = d === 0 ? 0 : (ends.get(from) ?? 0);
    const beginY = d === 0 ? 0 : beginX - from;
    while (x > beginX && y > beginY && a[x - 1] === b[y - 1]) {
      out.push({ kind: ' ', text: a[--x]! });
      y--;
    }
    if (d === 0) break;
    if (x === beginX) out.push({ kind: '+', text: b[--y]! });
    else out.push({ kind: '-', text: a[--x]! });
  }
  return out.reverse();
}

function fold(lines: DiffLine[]): DiffLine[] {
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((line) => line.kind !== ' '));
  if (!near.includes(true)) return lines;
  const out: DiffLine[] = [];
  lines.forEach((line, i) => {
    if (near[i]) out.push(line);
    else if (out.at(-1)?.kind !== '…') out.push({ kind: '…', text: '' });
  });
  return out;
}
