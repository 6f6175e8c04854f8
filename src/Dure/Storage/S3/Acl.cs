using System.Xml.Linq;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Canned access control lists, in headers and as the XML of grants. Other lists cannot be stored and are refused.</summary>
internal static class Acl
{
    private const string AllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
    private const string AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    private static readonly XNamespace Xsi = "http://www.w3.org/2001/XMLSchema-instance";

    /// <summary>From <c>x-amz-acl</c>; null where there is none.</summary>
    public static (CannedAcl? Acl, S3Error? Error) OfHeaders(S3Call call)
    {
        foreach (var (name, _) in call.Http.Request.Headers)
        {
            if (name.StartsWith("x-amz-grant-", StringComparison.OrdinalIgnoreCase))
                return (null, S3Errors.NotImplemented($"The header {name}"));
        }
        return Of(call.Header("x-amz-acl"));
    }

    public static (CannedAcl? Acl, S3Error? Error) Of(string? name) => name switch
    {
        null or "" => (null, null),
        // What these grant to the bucket's owner he has here anyway.
        "private" or "bucket-owner-read" or "bucket-owner-full-control" => (CannedAcl.Private, null),
        "public-read" => (CannedAcl.PublicRead, null),
        "public-read-write" => (CannedAcl.PublicReadWrite, null),
        "authenticated-read" => (CannedAcl.AuthenticatedRead, null),
        _ => (null, S3Errors.InvalidArgument("The canned access control list is not known.", "x-amz-acl", name)),
    };

    public static string NameOf(CannedAcl acl) => acl switch
    {
        CannedAcl.PublicRead => "public-read",
        CannedAcl.PublicReadWrite => "public-read-write",
        CannedAcl.AuthenticatedRead => "authenticated-read",
        _ => "private",
    };

    public static void Write(XmlText xml, string owner, CannedAcl acl)
    {
        xml.Root("AccessControlPolicy").Owner("Owner", owner).Open("AccessControlList");
        xml.Open("Grant").Raw($"<Grantee xmlns:xsi=\"{Xsi}\" xsi:type=\"CanonicalUser\">").Element("ID", owner).Element("DisplayName", owner).Close("Grantee")
            .Element("Permission", "FULL_CONTROL").Close("Grant");
        if (acl is CannedAcl.PublicRead or CannedAcl.PublicReadWrite)
            Group(xml, AllUsers, "READ");
        if (acl == CannedAcl.PublicReadWrite)
            Group(xml, AllUsers, "WRITE");
        if (acl == CannedAcl.AuthenticatedRead)
            Group(xml, AuthenticatedUsers, "READ");
        xml.Close("AccessControlList").Close("AccessControlPolicy");
    }

    /// <summary>The canned list that a list of grants stands for.</summary>
    public static (CannedAcl? Acl, S3Error? Error) OfXml(XElement root, string owner)
    {
        if (root.Name.LocalName != "AccessControlPolicy" || XmlBody.Child(root, "AccessControlList") is not { } list)
            return (null, S3Errors.MalformedXml with { Code = "MalformedACLError" });
        var granted = new HashSet<(string Group, string Permission)>();
        foreach (var grant in list.Elements())
        {
            if (XmlBody.Child(grant, "Grantee") is not { } grantee || XmlBody.Text(grant, "Permission") is not ("FULL_CONTROL" or "READ" or "WRITE" or "READ_ACP" or "WRITE_ACP"))
                return (null, S3Errors.MalformedXml with { Code = "MalformedACLError" });
            var permission = XmlBody.Text(grant, "Permission")!;
            if (XmlBody.Text(grantee, "URI") is { } group)
                granted.Add((group, permission));
            else if (XmlBody.Text(grantee, "ID") != owner || permission != "FULL_CONTROL")
                return (null, S3Errors.NotImplemented("A grant to a single user"));
        }
        (string, string)[] read = [(AllUsers, "READ")];
        return granted.Count == 0 ? (CannedAcl.Private, null)
            : granted.SetEquals(read) ? (CannedAcl.PublicRead, null)
            : granted.SetEquals([.. read, (AllUsers, "WRITE")]) ? (CannedAcl.PublicReadWrite, null)
            : granted.SetEquals([(AuthenticatedUsers, "READ")]) ? (CannedAcl.AuthenticatedRead, null)
            : (null, S3Errors.NotImplemented("An access control list that is none of the canned ones"));
    }

    private static void Group(XmlText xml, string uri, string permission) =>
        xml.Open("Grant").Raw($"<Grantee xmlns:xsi=\"{Xsi}\" xsi:type=\"Group\">").Element("URI", uri).Close("Grantee").Element("Permission", permission).Close("Grant");
}
