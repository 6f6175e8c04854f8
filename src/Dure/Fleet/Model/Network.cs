using System.Net;

namespace Dure.Fleet.Model;

/// <summary>One network that machines have addresses on.</summary>
/// <param name="Name"><c>public</c>, <c>internal</c>, <c>management</c> or any other word.</param>
/// <param name="Vip">The virtual address that a balancer holds on it; null when there is none.</param>
public sealed record Network(string Name, IPNetwork Range, IPAddress? Vip, Place Place);

/// <summary>A machine's address on one network.</summary>
public sealed record NetworkAddress(string Network, IPAddress Address, Place Place);
