using System.CommandLine;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;

namespace Dure.Fleet.Commands;

/// <summary><c>dure roles</c>: what machines can be.</summary>
internal static class RolesCommand
{
    private static readonly Argument<string?> Name = new("role") { Description = "One role, with its settings; without, all of them.", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<bool> Schema = new("--schema") { Description = "Print the JSON Schema of a fleet's file, for editors." };

    public static Verb Make() =>
        new Verb("roles", "List what machines of a fleet can be, and what can be set.",
            ("dure roles", "all roles"),
            ("dure roles balancer", "the settings of one, with their defaults"),
            ("dure roles --schema > fleet.schema.json", "for an editor that completes dure.yaml"))
        .With(Name, Schema)
        .Runs((call, _) => Task.FromResult(Show(call)));

    private static Outcome<int> Show(Call call)
    {
        if (call.Get(Schema))
        {
            call.Screen.Out.Write(FleetSchema.Text());
            return ExitCodes.Ok;
        }

        if (call.Get(Name) is not { } name)
        {
            call.Screen.Table([new("role"), new("needs"), new("purpose", 30)], [.. RoleKinds.Named.Select(role => (IReadOnlyList<string>)[role.Name, string.Join(' ', role.Needs), role.Purpose])]);
            return ExitCodes.Ok;
        }

        if (RoleKinds.Find(name) is not { } kind)
            return FleetErrors.MachineUnknown.With($"There is no role {name}.{Spelling.DidYouMean(name, RoleKinds.Named.Select(role => role.Name))}");
        call.Screen.Line(kind.Purpose);
        call.Screen.Facts([("needs", string.Join(", ", kind.Needs)), ("keeps data in", string.Join(", ", kind.Data)), ("changed in turn", kind.Rolling ? "yes, one machine after another" : "")]);
        if (kind.Settings.Count > 0)
        {
            call.Screen.Line("");
            call.Screen.Table([new("setting"), new("default"), new("values"), new("what it is", 30)],
                [.. kind.Settings.Select(setting => (IReadOnlyList<string>)[setting.Name, setting.Default.Length > 0 ? setting.Default : "-", setting.Range.Length > 0 ? setting.Range : setting.Type, setting.Doc])]);
        }

        return ExitCodes.Ok;
    }
}
