/** One line of a comparison: taken away, put there, or the same in both. */
export interface DiffLine {
  kind: '-' | '+' | ' ';
  text: string;
  before?: number;
  after?: number;
}

// The memory that it takes grows with the square of this.
const EDITS_MAX = 1500;

const linesOf = (text: string): string[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

/** The shortest way from one list of lines to another (Myers); beyond a limit all of the middle is replaced. */
export function diff(before: string, after: string): DiffLine[] {
  const a = linesOf(before);
  const b = linesOf(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const lines: DiffLine[] = [];
  let x = 0;
  let y = 0;
  const same = () => lines.push({ kind: ' ', text: a[x]!, before: ++x, after: ++y });
  const gone = () => lines.push({ kind: '-', text: a[x]!, before: ++x });
  const come = () => lines.push({ kind: '+', text: b[y]!, after: ++y });
  while (x < start) same();
  for (const step of middle(a.slice(start, a.length - end), b.slice(start, b.length - end))) {
    if (step === ' ') same();
    else if (step === '-') gone();
    else come();
  }
  while (x < a.length) same();
  return lines;
}

function middle(a: string[], b: string[]): string {
  const whole = '-'.repeat(a.length) + '+'.repeat(b.length);
  const most = Math.min(a.length + b.length, EDITS_MAX);
  const trace: Map<number, number>[] = [];
  let far = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(far));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && (far.get(k - 1) ?? -1) < (far.get(k + 1) ?? -1)) ? far.get(k + 1)! : far.get(k - 1)! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      far.set(k, x);
      if (x >= a.length && x - k >= b.length) return back(trace, a.length, b.length);
    }
  }
  return whole;
}

function back(trace: Map<number, number>[], x: number, y: number): string {
  const steps: string[] = [];
  for (let d = trace.length - 1; d >= 0; d--) {
    const far = trace[d]!;
    const k = x - y;
    const from = k === -d || (k !== d && (far.get(k - 1) ?? -1) < (far.get(k + 1) ?? -1)) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : far.get(from)!;
    const fromY = d === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      steps.push(' ');
      x--;
      y--;
    }
    if (d > 0) steps.push(x === fromX ? '+' : '-');
    x = fromX;
    y = fromY;
  }
  return steps.reverse().join('');
}

/** The lines of a unified diff as the server writes it, with the numbers of both sides. */
export function parseUnified(text: string): DiffLine[][] {
  const hunks: DiffLine[][] = [];
  let before = 0;
  let after = 0;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const head = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (head) {
      [before, after] = [Number(head[1]), Number(head[2])];
      hunks.push([]);
      continue;
    }
    const hunk = hunks.at(-1);
    if (!hunk || line.startsWith('\\')) continue;
    const kind = line[0] === '+' || line[0] === '-' ? line[0] : ' ';
    hunk.push({ kind, text: line.slice(1), before: kind === '+' ? undefined : before++, after: kind === '-' ? undefined : after++ });
  }
  return hunks;
}

/** Only what changed, with a few lines about it. */
export function hunksOf(lines: readonly DiffLine[], context = 3): DiffLine[][] {
  const hunks: DiffLine[][] = [];
  let last = -Infinity;
  lines.forEach((line, i) => {
    if (line.kind === ' ') return;
    const from = Math.max(0, i - context);
    if (from > last + 1) hunks.push([]);
    for (let at = Math.max(from, last + 1); at <= Math.min(lines.length - 1, i + context); at++) {
      hunks.at(-1)!.push(lines[at]!);
      last = at;
    }
  });
  return hunks;
}

/** Lines `from` up to `to` of the text before become these. */
interface Edit {
  from: number;
  to: number;
  lines: string[];
}

function editsOf(before: string, after: string): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  let open: Edit | null = null;
  for (const line of diff(before, after)) {
    if (line.kind === ' ') {
      open = null;
      at++;
      continue;
    }
    if (!open) edits.push((open = { from: at, to: at, lines: [] }));
    if (line.kind === '+') open.lines.push(line.text);
    else open.to = ++at;
  }
  return edits;
}

const alike = (a: Edit, b: Edit) => a.from === b.from && a.to === b.to && a.lines.join('\n') === b.lines.join('\n');

/** Both changes of one text put together; null where they touch the same lines, and somebody must choose. */
export function merge(base: string, mine: string, theirs: string): string | null {
  const ours = editsOf(base, mine);
  const all = [...ours, ...editsOf(base, theirs).filter((edit) => !ours.some((one) => alike(one, edit)))].sort((a, b) => a.from - b.from || a.to - b.to);
  const lines = linesOf(base);
  const made: string[] = [];
  let at = 0;
  for (const [i, edit] of all.entries()) {
    // Also changes that only touch each other: what was meant of two lines side by side is for people to say.
    if (i > 0 && edit.from <= all[i - 1]!.to) return null;
    made.push(...lines.slice(at, edit.from), ...edit.lines);
    at = edit.to;
  }
  made.push(...lines.slice(at));
  return made.length === 0 ? '' : made.join('\n') + (mine.endsWith('\n') || theirs.endsWith('\n') ? '\n' : '');
}
