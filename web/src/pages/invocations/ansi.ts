/** A piece of text in one style. `fg`/`bg`: 0–255 of the palette, or a CSS colour. */
export interface Piece {
  text: string;
  fg?: number | string;
  bg?: number | string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  strike?: boolean;
  inverse?: boolean;
}

// CSI, OSC (ended by BEL or ST), other two-character escapes; what is cut off at the end of the line counts as well.
const ESCAPE = /\x1b(?:\[([0-?]*)[ -/]*([@-~]?)|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[PX^_][^\x1b]*(?:\x1b\\|$)|[ -/]*[0-~]?)/g;
const CONTROL = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\x9b]/g;

/** Text with terminal colours as pieces; whatever else a terminal would obey is left out. Nothing here becomes markup. */
export function parseAnsi(line: string): Piece[] {
  if (!line.includes('\x1b')) return [{ text: line.replace(CONTROL, '') }];
  const pieces: Piece[] = [];
  let style: Omit<Piece, 'text'> = {};
  let at = 0;
  const add = (text: string) => {
    const plain = text.replace(CONTROL, '');
    if (plain) pieces.push({ text: plain, ...style });
  };
  for (const found of line.matchAll(ESCAPE)) {
    add(line.slice(at, found.index));
    at = found.index + found[0].length;
    if (found[2] === 'm' && /^[0-9;:]*$/.test(found[1]!)) style = apply(style, found[1]!);
  }
  add(line.slice(at));
  return pieces;
}

/** What is left when colours are taken out. */
export const plainOf = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join('');

function apply(style: Omit<Piece, 'text'>, codes: string): Omit<Piece, 'text'> {
  let next = { ...style };
  const numbers = codes === '' ? [0] : codes.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i]!;
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.inverse = true;
    else if (code === 9) next.strike = true;
    else if (code === 22) next.bold = next.dim = undefined;
    else if (code === 23) next.italic = undefined;
    else if (code === 24) next.underline = undefined;
    else if (code === 27) next.inverse = undefined;
    else if (code === 29) next.strike = undefined;
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code >= 100 && code <= 107) next.bg = code - 92;
    else if (code === 39) next.fg = undefined;
    else if (code === 49) next.bg = undefined;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers, i + 1);
      i += used;
      if (colour !== undefined) next[code === 38 ? 'fg' : 'bg'] = colour;
    }
  }
  return next;
}

// `5;N` or `2;R;G;B`. Anything else takes what is left with it.
function extended(numbers: readonly number[], at: number): [number | string | undefined, number] {
  const byte = (n: number | undefined): n is number => n !== undefined && n >= 0 && n <= 255;
  if (numbers[at] === 5) return [byte(numbers[at + 1]) ? numbers[at + 1] : undefined, 2];
  if (numbers[at] === 2) {
    const [r, g, b] = [numbers[at + 1], numbers[at + 2], numbers[at + 3]];
    return [byte(r) && byte(g) && byte(b) ? `rgb(${r} ${g} ${b})` : undefined, 4];
  }
  return [undefined, numbers.length];
}

const LEVELS = [0, 95, 135, 175, 215, 255];

/** A colour of the palette as CSS: the first sixteen are the theme's, so that they can be read on its background. */
export function colourOf(colour: number | string | undefined): string | undefined {
  if (colour === undefined || typeof colour === 'string') return colour;
  if (colour < 16) return `var(--ansi-${colour})`;
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const n = colour - 16;
  return `rgb(${LEVELS[Math.floor(n / 36)]} ${LEVELS[Math.floor(n / 6) % 6]} ${LEVELS[n % 6]})`;
}

/** A line of a log: `2026-11-21T09:35:01.123Z 1 out text`. */
export interface LogLine {
  time?: number;
  attempt?: number;
  stream?: 'out' | 'err' | 'sys';
  text: string;
}

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\d+) (out|err|sys) /;

export function readLine(line: string): LogLine {
  const found = LINE.exec(line);
  if (!found) return { text: line };
  return { time: Date.parse(found[1]!), attempt: Number(found[2]), stream: found[3] as LogLine['stream'], text: line.slice(found[0].length) };
}

/** Marks what was found: pieces are cut where it begins and ends. */
export function markFound(pieces: readonly Piece[], find: RegExp | null): (Piece & { found?: boolean })[] {
  if (!find) return [...pieces];
  const ranges: [number, number][] = [];
  for (const found of plainOf(pieces).matchAll(find)) {
    if (found[0].length > 0) ranges.push([found.index, found.index + found[0].length]);
    if (ranges.length > 200) break;
  }
  if (ranges.length === 0) return [...pieces];
  const out: (Piece & { found?: boolean })[] = [];
  let at = 0;
  for (const piece of pieces) {
    let begin = 0;
    while (begin < piece.text.length) {
      const here = at + begin;
      const range = ranges.find(([, end]) => end > here);
      const inside = !!range && range[0] <= here;
      const until = !range ? piece.text.length : Math.min(piece.text.length, (inside ? range[1] : range[0]) - at);
      out.push({ ...piece, text: piece.text.slice(begin, until), found: inside || undefined });
      begin = until;
    }
    at += piece.text.length;
  }
  return out;
}
