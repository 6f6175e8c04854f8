using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Dure.Functions.Deploy;

/// <summary>Looks at a program's first bytes, for the kernel's own words ("exec format error", "not found") help nobody.</summary>
internal static class ProgramFile
{
    private const int HeadBytes = 256;

    private static readonly Dictionary<ushort, Architecture> s_machines = new()
    {
        [3] = Architecture.X86,
        [40] = Architecture.Arm,
        [62] = Architecture.X64,
        [183] = Architecture.Arm64,
        [243] = Architecture.RiscV64,
    };

    /// <summary>Why this machine cannot start it, or null when it can.</summary>
    public static string? Fault(string path)
    {
        var head = new byte[HeadBytes];
        using var file = File.OpenRead(path);
        var n = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (n == 0)
            return "it is empty";
        if (head.AsSpan().StartsWith("\u007fELF"u8))
            return ElfFault(head);
        if (head.AsSpan().StartsWith("#!"u8))
            return ScriptFault(Encoding.UTF8.GetString(head, 2, n - 2));
        if (head.AsSpan().StartsWith("MZ"u8))
            return "it is a Windows program";
        return head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xCF, 0xFA, 0xED, 0xFE]) || head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xCA, 0xFE, 0xBA, 0xBE])
            ? "it is a macOS program"
            : "it is neither a Linux program nor a script whose first line begins with #!";
    }

    private static string? ElfFault(byte[] head)
    {
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(18));
        return s_machines.TryGetValue(machine, out var built) && built != RuntimeInformation.OSArchitecture
            ? $"it is built for {built}; this machine is {RuntimeInformation.OSArchitecture}"
            : null;
    }

    private static string? ScriptFault(string rest)
    {
        var line = rest.Split('\n')[0];
        if (line.EndsWith('\r'))
            return "its lines end as on Windows (CR LF), so the interpreter on its first line is not found; save it with LF line ends";
        var interpreter = line.Trim().Split(' ')[0];
        return interpreter.StartsWith('/') && (interpreter.StartsWith("/code/", StringComparison.Ordinal) || File.Exists(interpreter))
            ? null
            : $"the interpreter on its first line, {SourcePaths.Show(interpreter)}, is not on this machine";
    }
}
