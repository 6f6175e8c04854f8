/** What keeps a text from being JSON, and where; lines and columns from 1. */
export interface JsonFault {
  line: number;
  column: number;
  why: string;
}

/** The fault of a text that should be JSON; null when it is. */
export function jsonFault(text: string): JsonFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const said = (error as Error).message;
    const lineAndColumn = /line (\d+) column (\d+)/.exec(said);
    if (lineAndColumn) return { line: Number(lineAndColumn[1]), column: Number(lineAndColumn[2]), why: plain(said) };
    const position = /position (\d+)/.exec(said);
    const at = position ? Number(position[1]) : text.length;
    const before = text.slice(0, at).split('\n');
    return { line: before.length, column: before.at(-1)!.length + 1, why: plain(said) };
  }
}

const plain = (said: string) => said.replace(/^JSON\.parse: /, '').replace(/ in JSON at position.*$| at position.*$| at line.*$/, '');
