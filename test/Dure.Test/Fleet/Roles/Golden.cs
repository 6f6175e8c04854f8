using System.Runtime.CompilerServices;
using System.Text;
using Dure.Fleet.Desired;
using Xunit;

namespace Dure.Test.Fleet.Roles;

/// <summary>Compares a machine's desired state with the text kept beside the test. <c>DURE_GOLDEN=write</c> writes it anew, for a person to read in the diff.</summary>
internal static class Golden
{
    /// <summary>All that one role says about one machine is what <c>Goldens/NAME.txt</c> says.</summary>
    public static void Same(DesiredMachine state, string role, string name, [CallerFilePath] string caller = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(caller)!, "Goldens", name + ".txt");
        var text = Render(state, role);
        if (Environment.GetEnvironmentVariable("DURE_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            System.IO.File.WriteAllText(path, text);
        }

        Assert.Equal(System.IO.File.Exists(path) ? System.IO.File.ReadAllText(path) : "", text);
    }

    private static string Render(DesiredMachine state, string role)
    {
        var text = new StringBuilder();
        void Line(string line) => text.Append(line).Append('\n');
        foreach (var package in state.Packages.Where(of => of.Role == role))
            Line($"package {package.Name}");
        foreach (var user in state.Users.Where(of => of.Role == role))
            Line($"user {user.Name} home {user.Home} groups {string.Join(',', user.Groups)}");
        foreach (var folder in state.Folders.Where(of => of.Role == role))
            Line($"folder {folder.Path} {folder.Mode} {folder.Owner}:{folder.Group}");
        foreach (var tree in state.Trees.Where(of => of.Role == role))
            Line($"tree {tree.Path}");
        foreach (var sysctl in state.Sysctls.Where(of => of.Role == role))
            Line($"sysctl {sysctl.Key} = {sysctl.Value}");
        foreach (var mount in state.Mounts.Where(of => of.Role == role))
            Line($"mount {mount.Path} from {mount.Source} {mount.FileSystem} {mount.Options}");
        foreach (var unit in state.Units.Where(of => of.Role == role))
            Line($"unit {unit.Name} {unit.State} restart on [{string.Join(' ', unit.RestartOn)}] reload on [{string.Join(' ', unit.ReloadOn)}] waits for [{unit.WaitFor}] start [{unit.Start}]");
        foreach (var step in state.Steps.Where(of => of.Role == role))
            Line($"step {step.Name}\n  done: {Indent(step.Done)}\n  do: {Indent(step.Do)}");
        foreach (var check in state.Health.Where(of => of.Role == role))
            Line($"healthy {check.Name}: {Indent(check.Command)}");
        foreach (var file in state.Files.Where(of => of.Role == role))
            Line($"file {file.Path} {file.Mode} {file.Owner}:{file.Group} {file.Kind}{(file.Secret ? " secret" : "")}{(file.Guarded ? " guarded" : "")} check [{file.Check}]\n{Indent(file.Text)}");
        return text.ToString();
    }

    private static string Indent(string text) => text.TrimEnd('\n').Replace("\n", "\n    ", StringComparison.Ordinal);
}
