using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Dure.Edge.Certificates;

/// <summary>What an authority may vouch for: names below a domain, and addresses of a network. Whoever trusts its root trusts it for nothing else.</summary>
internal sealed record NameConstraint(IReadOnlyList<string> Domains, IReadOnlyList<IPNetwork> Networks)
{
    /// <summary>Reads domains and networks.</summary>
    /// <returns>Null, with the one that is neither.</returns>
    public static NameConstraint? Read(IEnumerable<string> texts, out string wrong)
    {
        var (domains, networks) = (new List<string>(), new List<IPNetwork>());
        wrong = "";
        foreach (var text in texts.Select(text => text.Trim().TrimStart('.').ToLowerInvariant()))
        {
            if (text.Contains('/', StringComparison.Ordinal) && IPNetwork.TryParse(text, out var network))
                networks.Add(network);
            else if (Uri.CheckHostName(text) == UriHostNameType.Dns)
                domains.Add(text);
            else
            {
                wrong = text;
                return null;
            }
        }

        return new(domains, networks);
    }

    public bool Permits(string name) => IPAddress.TryParse(name, out var address)
        ? Networks.Any(network => network.Contains(address))
        : Domains.Any(domain => name == domain || name.EndsWith("." + domain, StringComparison.Ordinal));

    /// <summary>The extension, as RFC 5280 has it. A kind of name of which nothing is permitted is refused as a whole.</summary>
    public X509Extension Encode()
    {
        var (names, ips) = (new Asn1Tag(TagClass.ContextSpecific, 2), new Asn1Tag(TagClass.ContextSpecific, 7));
        var asn = new AsnWriter(AsnEncodingRules.DER);
        void Subtrees(int tag, IEnumerable<Action> bases)
        {
            using (asn.PushSequence(new Asn1Tag(TagClass.ContextSpecific, tag, isConstructed: true)))
            {
                foreach (var one in bases)
                {
                    using (asn.PushSequence())
                        one();
                }
            }
        }

        using (asn.PushSequence())
        {
            Subtrees(0,
            [
                .. Domains.Select(domain => (Action)(() => asn.WriteCharacterString(UniversalTagNumber.IA5String, domain, names))),
                .. Networks.Select(network => (Action)(() => asn.WriteOctetString([.. network.BaseAddress.GetAddressBytes(), .. Mask(network)], ips))),
            ]);
            if (Networks.Count == 0)
                Subtrees(1, [() => asn.WriteOctetString(new byte[8], ips), () => asn.WriteOctetString(new byte[32], ips)]);
            else if (Domains.Count == 0)
                Subtrees(1, [() => asn.WriteCharacterString(UniversalTagNumber.IA5String, "", names)]);
        }

        return new X509Extension("2.5.29.30", asn.Encode(), critical: true);
    }

    /// <summary>What a root was made for.</summary>
    public static NameConstraint Of(X509Certificate2 root)
    {
        var (domains, networks) = (new List<string>(), new List<IPNetwork>());
        var permitted = new AsnReader(root.Extensions["2.5.29.30"]!.RawData, AsnEncodingRules.DER).ReadSequence().ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true));
        while (permitted.HasData)
        {
            var subtree = permitted.ReadSequence();
            if (subtree.PeekTag().TagValue == 2)
            {
                domains.Add(subtree.ReadCharacterString(UniversalTagNumber.IA5String, new Asn1Tag(TagClass.ContextSpecific, 2)));
                continue;
            }

            var bytes = subtree.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, 7));
            networks.Add(new(new IPAddress(bytes.AsSpan(0, bytes.Length / 2)), bytes.Skip(bytes.Length / 2).Sum(part => System.Numerics.BitOperations.PopCount(part))));
        }

        return new(domains, networks);
    }

    private static IEnumerable<byte> Mask(IPNetwork network) =>
        Enumerable.Range(0, network.BaseAddress.GetAddressBytes().Length).Select(at => (byte)(0xff00 >> Math.Clamp(network.PrefixLength - (at * 8), 0, 8)));
}
