using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Secrets that roles use and that are not there. Says names and purposes, never what is in them.</summary>
internal static class SecretRules
{
    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        if (scope.Facts.Secrets is not { } present)
            yield break;
        foreach (var need in scope.Present.SelectMany(kind => kind.Secrets(scope.Fleet).Select(need => (need.Name, need.Purpose, need.Kind, Role: kind.Name))).GroupBy(need => need.Name, StringComparer.Ordinal))
        {
            if (present.Contains(need.Key))
                continue;
            var (first, users) = (need.First(), Words.List([.. need.Select(each => each.Role).Distinct(StringComparer.Ordinal)]));
            var rule = first.Kind == SecretKind.Given ? CheckRules.SecretAbsent : CheckRules.SecretMissing;
            yield return rule.At(scope.PlaceOf(first.Role), $"{need.Key}, used by {users}, is not in {scope.Fleet.SecretsFolder}. {first.Purpose}");
        }
    }
}
