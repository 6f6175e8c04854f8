using System.Reflection;

namespace Dure.Host;

/// <summary>The version of this build.</summary>
public static class DureVersion
{
    /// <summary>Three numbers, such as <c>0.1.0</c>.</summary>
    public static readonly string Text = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0.0.0";
}
