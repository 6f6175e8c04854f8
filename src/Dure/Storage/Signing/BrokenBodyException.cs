using Dure.Storage.Store;

namespace Dure.Storage.Signing;

/// <summary>
/// Thrown by the stream of a body that cannot be what the client signed or announced; whoever reads it makes it the fault that it carries.
/// Not a value, because <see cref="Stream"/> has no other way to say it.
/// </summary>
public sealed class BrokenBodyException(StoreFault fault, string message) : IOException(message)
{
    /// <summary>What to answer.</summary>
    public StoreFault Fault { get; } = fault;
}
