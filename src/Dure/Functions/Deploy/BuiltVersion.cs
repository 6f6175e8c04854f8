namespace Dure.Functions.Deploy;

/// <summary>A version that is ready to run: unpacked, compiled, its dependencies installed. Immutable.</summary>
/// <param name="Digest">SHA-256 of the source tree, <c>function.yaml</c> and runtime defaults, 64 lower-case hex digits; the version's name.</param>
/// <param name="SourceBlob">Digest of the packed source in the blob store.</param>
/// <param name="CodeDirectory">Host folder shown at /code.</param>
/// <param name="DepsDirectory">Host folder shown at /deps; null when the version has none.</param>
/// <param name="Prewarm">The pool of pre-started processes that can serve it, see <see cref="Worker.SandboxSpec.Prewarm"/>.</param>
/// <param name="Command">What to start in the sandbox when no pre-started process serves.</param>
public sealed record BuiltVersion(
    string Digest,
    string SourceBlob,
    string CodeDirectory,
    string? DepsDirectory,
    string? Prewarm,
    IReadOnlyList<string> Command,
    FunctionSpec Spec);
