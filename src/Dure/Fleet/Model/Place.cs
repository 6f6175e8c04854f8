using System.Globalization;
using System.Runtime.InteropServices;

namespace Dure.Fleet.Model;

/// <summary>Where something stands in the fleet's file. Lines and columns count from 1.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Place(string File, long Line, long Column)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}");
}
