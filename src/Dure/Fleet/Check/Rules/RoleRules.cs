using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Roles that do not exist, and roles without those that they need.</summary>
internal static class RoleRules
{
    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        foreach (var (role, machines) in scope.Fleet.Machines.SelectMany(machine => machine.Roles.Select(given => (given, machine))).GroupBy(pair => pair.given.Role, StringComparer.Ordinal).Select(group => (group.First().given, group.Select(pair => pair.machine))))
        {
            if (scope.Find(role.Role) is null)
                yield return CheckRules.RoleUnknown.At(role.Place, $"{Words.Names(machines)}: there is no role {role.Role}.");
        }
        foreach (var kind in scope.Present)
        {
            foreach (var needed in kind.Needs.Where(needed => scope.With(needed).Count == 0))
                yield return CheckRules.RoleMissing.At(scope.PlaceOf(kind.Name), $"{kind.Name} needs {needed}, and no machine has it.");
            foreach (var needed in kind.NeedsHere)
            {
                var without = scope.With(kind.Name).Where(machine => !machine.Has(needed)).ToList();
                if (without.Count > 0)
                    yield return CheckRules.RoleMissingHere.At(CheckScope.PlaceOf(without[0], kind.Name), $"{Words.Names(without)}: {kind.Name} needs {needed} on the same machine.");
            }
        }
        var idle = scope.Fleet.Machines.Where(machine => machine.Roles.Count == 0).ToList();
        if (idle.Count > 0)
            yield return CheckRules.MachineIdle.At(idle[0].Place, $"{Words.Names(idle)} {(idle.Count == 1 ? "has" : "have")} no role.");
    }
}
