using System.Diagnostics;
using System.Globalization;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>The NVIDIA GPUs of this machine: device nodes, and the driver's libraries, which must match the kernel module and so come from the host.</summary>
internal sealed class GpuInventory
{
    private static readonly string[] LibraryNames = ["libcuda.so", "libcudadebugger.so", "libnvidia-", "libnvcuvid.so", "libnvoptix.so"];
    private static readonly string[] Programs = ["/usr/bin/nvidia-smi"];
    private readonly string _devices;
    private readonly IReadOnlyList<string> _shared;
    private readonly IReadOnlyList<string> _libraries;

    private GpuInventory(string devices, IReadOnlyList<int> indices, IReadOnlyList<string> shared, IReadOnlyList<string> libraries) =>
        (_devices, Indices, _shared, _libraries) = (devices, indices, shared, libraries);

    /// <summary>Indices of the GPUs, ascending.</summary>
    public IReadOnlyList<int> Indices { get; }

    /// <summary>Looks for device nodes <c>nvidia0</c>, <c>nvidia1</c>, ... in a folder.</summary>
    public static async Task<GpuInventory> FindAsync(string devices, CancellationToken cancel)
    {
        var indices = new List<int>();
        var shared = new List<string>();
        foreach (var path in Directory.Exists(devices) ? Directory.EnumerateFiles(devices, "nvidia*") : [])
        {
            var name = Path.GetFileName(path);
            if (int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out var index)) indices.Add(index);
            else if (name is "nvidiactl" or "nvidia-uvm" or "nvidia-uvm-tools" or "nvidia-modeset") shared.Add(name);
        }

        indices.Sort();
        var libraries = indices.Count == 0 ? [] : await LibrariesAsync(cancel);
        return new GpuInventory(devices, indices, shared, libraries);
    }

    /// <summary>Whether all of these exist.</summary>
    public Problem? Check(IReadOnlyList<int> wanted)
    {
        var missing = wanted.Except(Indices).ToList();
        return missing.Count == 0 ? null
            : WorkerErrors.NoGpu.With($"GPU {string.Join(", ", missing)} was asked for; this machine has {(Indices.Count == 0 ? "none" : string.Join(", ", Indices))}");
    }

    /// <summary>bubblewrap options that show these GPUs and no others.</summary>
    public IReadOnlyList<string> Arguments(IReadOnlyList<int> wanted)
    {
        if (wanted.Count == 0) return [];
        var list = new List<string>();
        foreach (var name in wanted.Select(i => "nvidia" + i.ToString(CultureInfo.InvariantCulture)).Concat(_shared))
            list.AddRange(["--dev-bind", $"{_devices}/{name}", $"/dev/{name}"]);
        // Libraries below /usr are there already.
        foreach (var path in _libraries.Concat(Programs).Where(p => !p.StartsWith("/usr/", StringComparison.Ordinal) && !p.StartsWith("/lib", StringComparison.Ordinal)))
            list.AddRange(["--ro-bind-try", path, path]);
        var all = string.Join(',', wanted.Select(i => i.ToString(CultureInfo.InvariantCulture)));
        list.AddRange(["--setenv", "NVIDIA_VISIBLE_DEVICES", all, "--setenv", "CUDA_DEVICE_ORDER", "PCI_BUS_ID"]);
        list.AddRange(["--setenv", "CUDA_VISIBLE_DEVICES", string.Join(',', Enumerable.Range(0, wanted.Count))]);
        return list;
    }

    /// <summary>What the dynamic linker knows of the driver.</summary>
    private static async Task<IReadOnlyList<string>> LibrariesAsync(CancellationToken cancel)
    {
        var program = Array.Find(["/sbin/ldconfig", "/usr/sbin/ldconfig"], File.Exists);
        if (program is null) return [];
        using var process = Process.Start(new ProcessStartInfo(program, "-p") { RedirectStandardOutput = true, UseShellExecute = false })!;
        var text = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return [.. text.Split('\n').Select(line => line.Split("=> ", 2))
            .Where(halves => halves.Length == 2 && LibraryNames.Any(name => halves[0].Trim().StartsWith(name, StringComparison.Ordinal)))
            .Select(halves => halves[1].Trim())];
    }
}
