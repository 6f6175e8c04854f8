import { cell } from './cell';

/** One fault of a request: where it is and what is wrong there. */
export interface Fault {
  where: string;
  what: string;
}

/** How an expected failure is told by the server (RFC 9457 with Dure's members), or that it could not be reached. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly id: string,
    readonly title: string,
    readonly detail: string,
    readonly remedy: string,
    readonly faults: readonly Fault[] = [],
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || title);
    this.name = 'ApiProblem';
  }

  /** The server did not answer at all. */
  get unreachable(): boolean {
    return this.status === 0;
  }

  static async of(answer: Response): Promise<ApiProblem> {
    const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    return ApiProblem.from(body, answer.status);
  }

  static from(body: Record<string, unknown>, status = Number(body.status ?? 0)): ApiProblem {
    const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
    return new ApiProblem(status, text('id'), text('title') || `HTTP ${status}`, text('detail'), text('remedy'), (body.faults as Fault[] | undefined) ?? [], body);
  }
}

/** Who is signed in. */
export interface Session {
  user: { name: string; display_name: string; role: 'owner' | 'member' | 'viewer' };
  scopes: string[];
  csrf: string;
  expires_at: string;
  /** Other members that the sign-in pages know of. */
  [more: string]: unknown;
}

/** undefined: not known yet; null: nobody. */
export const session = cell<Session | null | undefined>(undefined);

/** What may be offered to somebody who is not signed in. */
export interface SignInMethods {
  password?: boolean;
  link?: boolean;
  oidc?: { name: string; label: string }[];
}

export const signInMethods = cell<SignInMethods>({ password: true, link: true });

/** Whether who is signed in may do what the scope names; the server decides, this only hides what would be refused. */
export function may(scope: 'read' | 'invoke' | 'deploy' | 'admin'): boolean {
  const scopes = session.get()?.scopes ?? [];
  return scopes.includes(scope) || scopes.includes('admin');
}

/** Asks who is signed in. */
export async function loadSession(): Promise<void> {
  try {
    session.set(await get<Session>('/api/session'));
  } catch (problem) {
    if (!(problem instanceof ApiProblem) || problem.status !== 401) throw problem;
    const methods = problem.more.methods as SignInMethods | undefined;
    if (methods) signInMethods.set(methods);
    session.set(null);
  }
}

/** Sends a request as the portal does. Any answer but a success is thrown as an {@link ApiProblem}. */
export async function request(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('Accept')) headers.set('Accept', 'application/json');
  const csrf = session.get()?.csrf;
  if (csrf && method !== 'GET' && method !== 'HEAD') headers.set('Dure-Csrf', csrf);
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, method, headers, credentials: 'same-origin' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, '', 'The server cannot be reached', '', '');
  }
  if (answer.ok || answer.status === 304) return answer;
  const problem = await ApiProblem.of(answer);
  // Signed out elsewhere, or run out: the sign-in page comes up in place and leads back here.
  if (answer.status === 401 && session.get()) session.set(null);
  throw problem;
}

/** GET of JSON. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await request('GET', path, { signal });
  return (await answer.json()) as T;
}

/** Any other method with a JSON body; answers the JSON of the answer, or undefined where there is none. */
export async function send<T = undefined>(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  const answer = await request(method, path, { ...init, headers, body: body === undefined ? init.body : JSON.stringify(body) });
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Reads an answer that comes line by line (NDJSON), each as soon as it is there. */
export async function lines<T>(answer: Response, hear: (line: T) => void): Promise<void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? '';
    const whole = rest.split('\n');
    rest = whole.pop()!;
    for (const line of whole) if (line.trim()) hear(JSON.parse(line) as T);
    if (done) break;
  }
  if (rest.trim()) hear(JSON.parse(rest) as T);
}
