using System.Globalization;
using Dure.Fleet.Desired;
using Dure.Fleet.Observe;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Plan;

/// <summary>Compares what a machine should be with what it is. Pure: nothing is asked and nothing is done.</summary>
internal sealed class Planner
{
    private readonly Lowered _desired;
    private readonly Observation _seen;
    private readonly List<Change> _changes = [];
    private readonly HashSet<string> _roles;
    private readonly HashSet<string> _guardedPaths;

    private Planner(Lowered desired, Observation seen)
    {
        (_desired, _seen) = (desired, seen);
        _roles = [.. desired.RolesMade(seen.Packages)];
        _guardedPaths = [.. desired.Files.Where(file => file.Guarded).Select(file => file.Path)];
    }

    public static MachinePlan Plan(Lowered desired, Observation seen)
    {
        var planner = new Planner(desired, seen);
        planner.Leaving();
        planner.Files(before: true);
        planner.Packages();
        planner.Users();
        planner.Folders();
        planner.Trees();
        planner.Files(before: false);
        planner.Gone();
        planner.Sysctls();
        planner.ReadUnits();
        planner.Units();
        planner.Steps();
        planner.PackagesGone();

        // What may cut the machine off comes when all else is done; only what cannot be put back waits for that, too.
        List<Change> ordered = [.. planner._changes.OrderBy(change => change.IsForGood ? 2 : change.Guarded ? 1 : 0)];
        var manifest = Manifest.After(desired, seen.Manifest, seen.Packages);
        if (ordered.Count == 0 && !manifest.IsLike(seen.Manifest))
            ordered.Add(new(ChangeSign.Change, new Act.Record(), "base", "record of what was applied", "an apply was cut short right before its end"));
        return new(desired.Machine, ordered, manifest, planner.Kept());
    }

    private void Add(ChangeSign sign, Act act, string role, string what, string why = "", bool drift = false, bool guarded = false) =>
        _changes.Add(new(sign, act, role, what, why, drift) { Guarded = guarded });

    private void Leaving()
    {
        foreach (var role in RoleKinds.All.Where(role => role.Leave.Length > 0 && Left(role.Name)))
            Add(ChangeSign.Remove, new Act.LeaveRole(role.Name, role.Leave), role.Name, $"role {role.Name}", "what runs there comes to an end first");
    }

    /// <summary>The machine has what a role made, and is to have nothing of it.</summary>
    private bool Left(string role) => _seen.Manifest.All.Any(made => made.Role == role) && !_roles.Contains(role);

    /// <summary>An apply made it and said so: when it is not there any more, somebody took it away.</summary>
    private bool WasMade(string kind, string name) => _seen.Manifest.Find(kind, name) is { Mark: not Manifest.Pending };

    /// <summary>Packages come, and may bring files and units along that nobody has seen yet.</summary>
    private bool Installing => _changes.Exists(change => change is { Sign: ChangeSign.Add, Act: Act.InstallPackages });

    private void Packages()
    {
        var missing = _desired.Packages.Where(package => !_seen.Packages.ContainsKey(package.Name)).ToList();
        if (missing.Count > 0)
        {
            var drift = missing.TrueForAll(package => WasMade("package", package.Name));
            Add(ChangeSign.Add, new Act.InstallPackages(missing), missing[0].Role, (missing.Count == 1 ? "package " : "packages ") + string.Join(' ', missing.Select(package => package.Name)), drift ? "removed on the machine" : "", drift);
        }

        var other = _desired.Packages.Where(package => package.Version is { } version && _seen.Packages.TryGetValue(package.Name, out var installed) && installed != version).ToList();
        if (other.Count > 0)
            Add(ChangeSign.Change, new Act.InstallPackages(other), other[0].Role, "packages " + string.Join(' ', other.Select(package => $"{package.Name}={package.Version}")), "another version is installed");
    }

    private void Users()
    {
        foreach (var user in _desired.Users)
        {
            if (!_seen.Users.ContainsKey(user.Name))
                Add(ChangeSign.Add, new Act.MakeUser(user), user.Role, $"user {user.Name}");
            else if (user.Groups.Except(_seen.Groups.GetValueOrDefault(user.Name, "").Split(' '), StringComparer.Ordinal).ToList() is { Count: > 0 } lacking)
                Add(ChangeSign.Change, new Act.MakeUser(user), user.Role, $"user {user.Name}", $"joins {string.Join(", ", lacking)}");
        }
    }

    private void Folders()
    {
        foreach (var folder in _desired.Folders)
        {
            var drift = WasMade("folder", folder.Path);
            if (!_seen.Paths.TryGetValue(folder.Path, out var there))
                Add(ChangeSign.Add, new Act.MakeFolder(folder), folder.Role, $"folder {folder.Path}", drift ? "removed on the machine" : "", drift);
            else if (!there.IsFolder)
                Add(ChangeSign.Change, new Act.MakeFolder(folder), folder.Role, $"folder {folder.Path}", "something else is there");
            else if (Octal(there.Mode) != Octal(folder.Mode) || there.Owner != folder.Owner || there.Group != folder.Group)
                Add(ChangeSign.Change, new Act.MakeFolder(folder), folder.Role, $"folder {folder.Path}", $"is {there.Mode} {there.Owner}:{there.Group}, should be {folder.Mode.TrimStart('0')} {folder.Owner}:{folder.Group}", drift);
        }
    }

    private void Trees()
    {
        foreach (var tree in _desired.Trees)
        {
            var made = _seen.Manifest.Find("tree", tree.Path);
            if (made is null || !_seen.Paths.ContainsKey(tree.Path))
                Add(ChangeSign.Add, new Act.SendTree(tree), tree.Role, $"tree {tree.Path}");
            else if (made.Mark != LocalTree.Digest(tree.Source))
                Add(ChangeSign.Change, new Act.SendTree(tree), tree.Role, $"tree {tree.Path}", "another build");
        }
    }

    private void Files(bool before)
    {
        foreach (var file in _desired.Files.Where(file => file.BeforePackages == before))
        {
            var made = _seen.Manifest.Find("file", file.Path)?.Mark;
            var there = _seen.Paths.GetValueOrDefault(file.Path);
            if (file.Kind == FileKind.Absent)
            {
                var was = made is not null && !made.EndsWith(Manifest.Pending, StringComparison.Ordinal);
                if (there is not null || Installing)
                    Add(ChangeSign.Remove, new Act.RemoveFile(file), file.Role, $"file {file.Path}", was ? "it came back" : "the role works without it", was);
                continue;
            }

            var mark = $"{file.Kind}:{Lowered.Digest(file.Text)}";
            var text = file.Kind == FileKind.Block ? Block.Put(_seen.Texts.GetValueOrDefault(file.Path, ""), file.Text) : file.Text;
            var same = file.Kind == FileKind.Seed ? made == mark && there is { IsFile: true } : there is { IsFile: true } && there.Digest == Lowered.Digest(text);
            if (!same)
            {
                var drift = made == mark;
                Add(there is null ? ChangeSign.Add : ChangeSign.Change, new Act.WriteFile(file, text), file.Role, $"file {file.Path}", drift ? there is null ? "removed on the machine" : "changed on the machine" : "", drift, file.Guarded);
            }
            else if (file.Kind != FileKind.Seed && (Octal(there!.Mode) != Octal(file.Mode) || there.Owner != file.Owner || there.Group != file.Group))
            {
                Add(ChangeSign.Change, new Act.WriteFile(file, text), file.Role, $"file {file.Path}", $"is {there.Mode} {there.Owner}:{there.Group}, should be {file.Mode.TrimStart('0')} {file.Owner}:{file.Group}", made == mark, file.Guarded);
            }
        }
    }

    /// <summary>What roles that went have left: units stop, files go back to what they were, folders go when they are empty.</summary>
    private void Gone()
    {
        var gone = _seen.Manifest.All;
        foreach (var unit in gone.Where(made => made.Kind == "unit" && _desired.Units.All(known => known.Name != made.Name) && made.Mark is nameof(UnitState.Running) or nameof(UnitState.Enabled) or Manifest.Pending))
        {
            if (_seen.Units.GetValueOrDefault(unit.Name, SeenUnit.None) is var state && (state.IsActive || state.FileState == "enabled"))
                Add(ChangeSign.Remove, new Act.StopUnit(unit.Name, Mask: false), unit.Role, $"unit {unit.Name}", "its role is gone");
        }

        foreach (var file in gone.Where(made => made.Kind == "file" && _desired.Files.All(known => known.Path != made.Name)))
            Add(ChangeSign.Remove, new Act.RestoreFile(file.Name, file.Mark.StartsWith("Block", StringComparison.Ordinal)), file.Role, $"file {file.Name}", file.Mark.StartsWith("Absent", StringComparison.Ordinal) ? "comes back as it was" : "its role is gone");
        foreach (var tree in gone.Where(made => made.Kind == "tree" && _desired.Trees.All(known => known.Path != made.Name)))
            Add(ChangeSign.Remove, new Act.RemoveTree(tree.Name), tree.Role, $"tree {tree.Name}", "its role is gone");
        foreach (var folder in gone.Where(made => made.Kind == "folder" && _desired.Folders.All(known => known.Path != made.Name)).OrderByDescending(made => made.Name.Length))
        {
            if (_seen.Paths.ContainsKey(folder.Name) && !IsData(folder.Name))
                Add(ChangeSign.Remove, new Act.RemoveFolder(folder.Name), folder.Role, $"folder {folder.Name}", "its role is gone; it stays if it is not empty");
        }
    }

    private void PackagesGone()
    {
        var names = _seen.Manifest.All.Where(made => made.Kind == "package" && _desired.Packages.All(known => known.Name != made.Name) && _seen.Packages.ContainsKey(made.Name)).ToList();
        if (names.Count > 0)
            Add(ChangeSign.Remove, new Act.RemovePackages([.. names.Select(made => made.Name)]), names[0].Role, "packages " + string.Join(' ', names.Select(made => made.Name)), "their roles are gone");
        foreach (var user in _seen.Manifest.All.Where(made => made.Kind == "user" && _desired.Users.All(known => known.Name != made.Name)))
            Add(ChangeSign.Remove, new Act.RemoveUser(user.Name), user.Role, $"user {user.Name}", "its role is gone");
    }

    private static bool IsData(string path) => RoleKinds.All.Any(role => role.Data.Contains(path, StringComparer.Ordinal));

    private IReadOnlyList<string> Kept() => [.. RoleKinds.All.Where(role => Left(role.Name)).SelectMany(role => role.Data)];

    private void Sysctls()
    {
        foreach (var sysctl in _desired.Sysctls)
        {
            if (_seen.Sysctls.GetValueOrDefault(sysctl.Key, "") is var now && now != sysctl.Value)
                Add(ChangeSign.Change, new Act.SetSysctl(sysctl), sysctl.Role, $"kernel setting {sysctl.Key}", $"is {(now.Length == 0 ? "not there" : now)}, should be {sysctl.Value}");
        }
    }

    private void ReadUnits()
    {
        var files = _changes.Exists(change => change.Act is Act.WriteFile { File.Path: var path } && IsUnitFile(path) || change.Act is Act.RestoreFile { Path: var gone } && IsUnitFile(gone) || change.Act is Act.RemoveFile { File.Path: var absent } && IsUnitFile(absent));
        if (files || _desired.Units.Any(unit => _seen.Units.GetValueOrDefault(unit.Name, SeenUnit.None).NeedsReload))
            Add(ChangeSign.Change, new Act.ReadUnits(), "base", "systemd reads its units");
    }

    private static bool IsUnitFile(string path) => path.StartsWith("/etc/systemd/", StringComparison.Ordinal) || path.StartsWith("/usr/local/lib/systemd/", StringComparison.Ordinal);

    private void Units()
    {
        foreach (var unit in _desired.Units)
            Unit(unit, _seen.Units.GetValueOrDefault(unit.Name, SeenUnit.None));
    }

    private void Unit(DesiredUnit unit, SeenUnit now)
    {
        var guarded = unit.RestartOn.Concat(unit.ReloadOn).Any(path => _guardedPaths.Contains(path) && _changes.Exists(change => change.Act is Act.WriteFile { File.Path: var written } && written == path));
        var known = _seen.Manifest.Find("unit", unit.Name)?.Mark == unit.State.ToString();
        if (unit.State is UnitState.Stopped or UnitState.Masked)
        {
            var masked = now.Load == "masked" || now.FileState == "masked";
            if (now.IsActive || unit.State == UnitState.Masked && !masked || unit.State == UnitState.Stopped && now.FileState == "enabled" || Installing && now == SeenUnit.None with { NeedsReload = now.NeedsReload })
                Add(ChangeSign.Remove, new Act.StopUnit(unit.Name, unit.State == UnitState.Masked), unit.Role, $"unit {unit.Name}", unit.State == UnitState.Masked ? "must not run" : "should not run", known);
            return;
        }

        if (unit.State == UnitState.Enabled)
        {
            if (!now.IsEnabled)
                Add(ChangeSign.Add, new Act.EnableUnit(unit), unit.Role, $"unit {unit.Name}", "is enabled", known);
            return;
        }

        var stamp = _desired.Stamp(unit);
        var before = _seen.Stamps.GetValueOrDefault(unit.Name, "").Split(' ');
        var parts = stamp.Split(' ');
        if (!now.IsActive)
            Add(ChangeSign.Add, new Act.StartUnit(unit, stamp), unit.Role, $"start {unit.Name}", known ? $"is {(now.Active.Length == 0 ? "inactive" : now.Active)}" : "", known && before is [_, _] && before[0] == parts[0], guarded);
        else if (before is not [var restart, var reload] || restart != parts[0] || PutBack(unit.RestartOn))
            Add(ChangeSign.Change, new Act.RestartUnit(unit, stamp), unit.Role, $"restart {unit.Name}", "what it was started with has changed", guarded: guarded);
        else if (reload != parts[1] || PutBack(unit.ReloadOn))
            Add(ChangeSign.Change, new Act.ReloadUnit(unit, stamp), unit.Role, $"reload {unit.Name}", "what it reads has changed", guarded: guarded);
        if (now.IsActive && !now.IsEnabled)
            Add(ChangeSign.Change, new Act.EnableUnit(unit), unit.Role, $"unit {unit.Name}", "starts with the machine", known);
    }

    /// <summary>A file was changed by hand, and the unit may have read it so: it reads it again.</summary>
    private bool PutBack(IReadOnlyList<string> paths) =>
        _changes.Exists(change => change is { Drift: true, Act: Act.WriteFile write } && paths.Contains(write.File.Path, StringComparer.Ordinal) && _seen.Paths.GetValueOrDefault(write.File.Path)?.Digest != Lowered.Digest(write.Text));

    private void Steps()
    {
        for (var i = 0; i < _desired.Steps.Count; i++)
        {
            if (!_seen.StepsDone.Contains(i))
                Add(ChangeSign.Add, new Act.RunStep(_desired.Steps[i]), _desired.Steps[i].Role, _desired.Steps[i].Name);
        }
    }

    private static int Octal(string mode) => int.TryParse(mode, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : -1;
}
