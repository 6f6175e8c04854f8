namespace Dure.Host;

/// <summary>One kind of expected failure. Every kind has a page under <c>docs/errors/</c>, generated from these fields.</summary>
/// <param name="Id">Stable for ever: <c>DURE</c> and four digits.</param>
/// <param name="Title">One short sentence that is the same for every occurrence.</param>
/// <param name="Status">The HTTP status that the API answers with, 400 to 599.</param>
/// <param name="ExitCode">The exit code of the command line, see <see cref="ExitCodes"/>.</param>
/// <param name="Remedy">What the reader can do about it, in one or two sentences.</param>
public sealed record ErrorKind(string Id, string Title, int Status, int ExitCode, string Remedy)
{
    /// <summary>An occurrence of this kind.</summary>
    /// <param name="detail">What happened this time: names, values, limits. Never a secret.</param>
    public Problem With(string detail) => new(this, detail, []);

    /// <summary>An occurrence of this kind that lists every fault found, not only the first.</summary>
    public Problem With(string detail, IReadOnlyList<Fault> faults) => new(this, detail, faults);
}

/// <summary>One fault in what the user gave: where it is, what is wrong, what to do.</summary>
/// <param name="Where">A file with line and column (<c>function.yaml:3:5</c>), a flag, or a field path.</param>
/// <param name="What">What is wrong and what would be right.</param>
public sealed record Fault(string Where, string What);

/// <summary>An expected failure, as a value. Rendered as RFC 9457 problem+json by the API and as text by the command line.</summary>
public sealed record Problem(ErrorKind Kind, string Detail, IReadOnlyList<Fault> Faults);

/// <summary>Either a value or the problem that prevented it.</summary>
public readonly record struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, Problem? problem) => (_value, Problem) = (value, problem);

    /// <summary>A value; for types that the compiler does not convert by itself (interfaces).</summary>
    public Outcome(T value)
        : this(value, null)
    {
    }

    /// <summary>Why there is no value; null when there is one.</summary>
    public Problem? Problem { get; }

    /// <summary>True when <see cref="Value"/> may be read.</summary>
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(false, nameof(Problem))]
    public bool Ok => Problem is null;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is a problem instead: a bug in the caller, who must ask <see cref="Ok"/> first.</exception>
    public T Value => Problem is null ? _value! : throw new InvalidOperationException($"{Problem.Kind.Id}: {Problem.Detail}");

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Problem problem) => new(default, problem);
}

/// <summary>Exit codes of the command line. Documented in <c>docs/reference/exit-codes.md</c>.</summary>
public static class ExitCodes
{
    /// <summary>It worked.</summary>
    public const int Ok = 0;

    /// <summary>It did not work, for a reason that none of the others names.</summary>
    public const int Failed = 1;

    /// <summary>The words on the command line, or what they point to, are wrong: change them and try again.</summary>
    public const int Usage = 2;

    /// <summary>What was asked for does not exist.</summary>
    public const int NotFound = 3;

    /// <summary>Not signed in, or the token lacks the scope.</summary>
    public const int Denied = 4;

    /// <summary>It clashes with the present state (already running, already exists, key used for another request).</summary>
    public const int Conflict = 5;

    /// <summary>The server cannot be reached or is not ready.</summary>
    public const int Unavailable = 6;

    /// <summary>The function ran and failed.</summary>
    public const int FunctionFailed = 7;

    /// <summary>A limit refused it (disk, size, quota, rate).</summary>
    public const int Limit = 8;

    /// <summary>Something this machine needs is missing (a program, a kernel feature, a permission).</summary>
    public const int Missing = 9;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}
